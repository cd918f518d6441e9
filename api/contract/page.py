"""``GET /docs``: the document of the API as a page. It runs no script and loads nothing, from wherever."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from api.transport.http import Answer
from rollout.model.codec import Json

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --teal: light-dark(#00696b, #4fd1c5); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--teal); }
a { color: var(--teal); } code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { padding: .75rem; overflow-x: auto; background: var(--soft); border-radius: .375rem; }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .375rem; }
details > div { padding: 0 1rem 1rem; } summary { padding: .6rem 1rem; cursor: pointer; }
.method { display: inline-block; min-width: 4.8rem; font-weight: 700; color: var(--teal); }
.words { opacity: .8; } .scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0; }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
"""

_POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def answer_page(api: Json) -> Answer:
    """The document ``api`` as a page."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    headers = {"Content-Security-Policy": _POLICY.format(digest)}
    return Answer(200, page(api), headers, "text/html; charset=utf-8")


def page(api: Json) -> str:
    """The page's HTML."""
    return "\n".join(_page(api))


def _page(api: Json) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield f"<title>Teal: the HTTP API</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>Teal: the HTTP API <small>{escape(api['info']['version'])}</small></h1>"
    yield from (f"<p>{_text(part)}</p>" for part in api["info"]["description"].split("\n\n"))
    yield '<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p><h2>Keys</h2>'
    yield _table(("send as", "what"), ((_place(one), one["description"]) for one in _security(api)))
    for tag in api["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{_text(tag['description'])}</p>"
        for path, methods in api["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(method.upper(), path, operation)
    yield "<h2>Schemas</h2>"
    for name, schema in api["components"]["schemas"].items():
        yield from _schema(name, schema)
    yield "</body></html>"


def _security(api: Json) -> Iterable[Json]:
    schemes: Mapping[str, Json] = api["components"]["securitySchemes"]
    return schemes.values()


def _place(scheme: Json) -> str:
    return f"{scheme['in']} {scheme['name']}" if "in" in scheme else f"header Authorization, {scheme['scheme']}"


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<details id="{name}"><summary><span class="method">{method}</span><code>{escape(path)}</code> '
    yield f'<span class="words">{_text(operation["summary"])}</span></summary><div>'
    needs = operation.get("description", "Needs no key.")
    yield f"<p>{_text(needs)} Function <code>{name}</code>.</p>"
    if operation["parameters"]:
        yield "<h3>Parameters</h3>" + _table(("name", "in", "value", "what"), map(_parameter, operation["parameters"]))
    if "requestBody" in operation:
        body = operation["requestBody"]
        yield "<h3>Body</h3><p>" + ("Required." if body["required"] else "May be left out.") + "</p>"
        yield from _content(body["content"])
    yield "<h3>Answers</h3>"
    for status, answer in operation["responses"].items():
        yield f"<h4>{escape(status)}</h4>{_list(answer['description'])}"
        if "headers" in answer:
            rows = ((name, header["description"]) for name, header in answer["headers"].items())
            yield _table(("header", "what"), rows)
        if status < "400":
            yield from _content(answer.get("content", {}))
    yield "</div></details>"


def _parameter(parameter: Json) -> tuple[str, ...]:
    required = " (required)" if parameter.get("required") else ""
    about = parameter.get("description") or f"such as `{parameter['example']}`"
    return f"`{parameter['name']}`{required}", parameter["in"], _kind(parameter["schema"]), about


def _content(content: Json) -> Iterator[str]:
    for media_type, one in content.items():
        yield f"<p><code>{escape(media_type)}</code> {_link(_kind(one['schema']))}</p>"
        if "example" in one:
            yield f"<pre>{escape(json.dumps(one['example'], indent=2, ensure_ascii=False))}</pre>"


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary><div>'
    yield from (f"<p>{_text(part)}</p>" for part in schema.get("description", "").split("\n\n") if part)
    if "properties" in schema:
        required = schema.get("required", [])
        rows = (
            (f"`{field}`" + (" (required)" if field in required else ""), _kind(one), one.get("description", ""))
            for field, one in schema["properties"].items()
        )
        yield _table(("field", "value", "what"), rows)
    else:
        yield f"<p>{_link(_kind(schema))}</p>"
    yield "</div></details>"


def _kind(schema: Json) -> str:
    """What values a schema takes, in words."""
    if "$ref" in schema:
        return f"[{schema['$ref'].rpartition('/')[2]}]"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(option) for option in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{schema.get('format') or schema.get('type') or 'anything'}{_bounds(schema)}"


def _bounds(schema: Json) -> str:
    if "minimum" in schema:
        return f", {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else f" from {schema['minimum']}"
    return f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{_link(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _list(text: str) -> str:
    lines = [f"<li>{_text(line.removeprefix('* '))}</li>" for line in text.splitlines() if line.startswith("* ")]
    return f"<ul>{''.join(lines)}</ul>" if lines else f"<p>{_text(text)}</p>"


def _text(text: str) -> str:
    """Plain text with code between backticks."""
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text))


def _link(text: str) -> str:
    """The same; a schema's name in brackets leads to it."""
    return re.sub(r"\[(\w+)\]", r'<a href="#schema-\1">\1</a>', _text(text))
