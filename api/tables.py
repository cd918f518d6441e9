"""The tables of fields in docs/api.md, made from the document of the API: ``python -m api.tables docs/api.md``.

Each stands between ``<!-- fields of Batch -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from api.routes import document
from rollout.model.codec import Json

#: How many words a cell has room for.
_FEW = 8

_PLACE = re.compile(r"(<!-- fields of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The text with each of its tables as it should be."""
    return _PLACE.sub(lambda found: found[1] + "\n".join(table(found[2])) + "\n" + found[3], text)


def table(model: str) -> Iterator[str]:
    """One model's fields, what kind of value each has, and what it holds."""
    yield "| field | value | holds |"
    yield "|---|---|---|"
    for field, schema in document()["components"]["schemas"][model]["properties"].items():
        unit = f", {schema['x-unit']}" if "x-unit" in schema else ""
        yield f"| `{field}` | {_kind(schema)}{unit} | {schema['description'].replace('|', '/')}{_known(schema)} |"


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    return str(schema.get("type", "any"))


def _known(schema: Json) -> str:
    """The words of this release that the description does not name, where they are few."""
    words = [f"`{word}`" for word in schema.get("x-known-values", ())]
    named = all(word in schema["description"] for word in words)
    return "" if named or len(words) > _FEW else f" One of {', '.join(words)}."


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
