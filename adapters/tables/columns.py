"""Values as columns: one for each field, so that people can read and query the tables with Storage Explorer.

* A scalar field is a column of its name in camelCase. Times stay the text that ``rollout.model.codec`` writes: it sorts
  and compares as the time does, comes back as it went, and is what the API shows; an Edm.DateTime would do neither
  better.
* A nested field is JSON text in a column whose name ends in ``_json``.
* ``None`` is a column left out.
* Text that is too long for one column goes on in ``{name}_2``, ``{name}_3``… Names of fields have no underscore.

Columns that no field asks for are ignored and fields without a column take their default, as ``rollout.model.codec``
does it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, TypeVar

from adapters.tables.table import Columns
from rollout.model.codec import Json, camel_case, decode, encode
from rollout.model.rows.unreadable import UnreadableRow

T = TypeVar("T")

#: A column holds 64 KiB of UTF-16 (https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model);
#: 16,000 characters fit even where each takes four bytes.
LONGEST_TEXT = 16_000


def to_columns(value: object) -> Columns:
    """The columns of a dataclass."""
    columns: dict[str, str | int | float | bool] = {}
    for name, item in encode(value).items():
        if isinstance(item, dict | list):
            columns.update(_text_columns(f"{name}_json", json.dumps(item, ensure_ascii=False, separators=(",", ":"))))
        elif isinstance(item, str):
            columns.update(_text_columns(name, item))
        elif item is not None:
            columns[name] = item
    return columns


def from_columns(kind: type[T], columns: Columns) -> T:
    """The ``kind`` that ``to_columns`` made ``columns`` from. ``ValueError``: a field without a default is missing."""
    data: Json = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name = camel_case(field.name)
        if name in columns:
            data[name] = _joined(columns, name)
        elif f"{name}_json" in columns:
            data[name] = json.loads(_joined(columns, f"{name}_json"))
    return decode(kind, data)


def read_columns(kind: type[T], columns: Columns) -> T | UnreadableRow:
    """The ``kind`` of these columns, or, where they hold what this release does not know, why it cannot be read."""
    try:
        return from_columns(kind, columns)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        named = str(columns.get("id") or columns.get("name") or "")
        which = f"The row {named} ({kind.__name__})" if named else f"A row ({kind.__name__})"
        return UnreadableRow(named, f"{which} {_WHY} ({error}). {_REMEDY}")


_WHY = "holds what this release of Teal does not know: a newer release wrote it"
_REMEDY = "It is left alone until that release is deployed again"


def _text_columns(name: str, text: str) -> Iterator[tuple[str, str]]:
    yield name, text[:LONGEST_TEXT]
    for number, start in enumerate(range(LONGEST_TEXT, len(text), LONGEST_TEXT), 2):
        yield f"{name}_{number}", text[start : start + LONGEST_TEXT]


def _joined(columns: Columns, name: str) -> Any:
    value = columns[name]
    if not isinstance(value, str):
        return value
    parts, number = [value], 2
    while (part := columns.get(f"{name}_{number}")) is not None:
        parts.append(str(part))
        number += 1
    return "".join(parts)
