"""The documentation page of the API: the description (OpenAPI) as plain HTML, made once, without a script.

Apart from the usual viewers, which are megabytes of script from elsewhere that no strict content security policy
would let run; what is here needs a browser and nothing else, and can be read, searched and printed.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from dashboard.api.problem import KINDS, MEDIA_TYPE

_STYLE = """
body{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem;line-height:1.5;font:16px/1.5 system-ui,sans-serif;
color-scheme:light dark;background:Canvas;color:CanvasText}
h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem}h3{margin-top:2rem}
code,pre{font-family:ui-monospace,Menlo,monospace;font-size:.875em}
pre{overflow-x:auto;padding:.75rem;border:1px solid GrayText;border-radius:4px;white-space:pre-wrap;
overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid GrayText}
a{color:LinkText}a:focus-visible,summary:focus-visible{outline:2px solid Highlight;outline-offset:2px}
.method{font-weight:700;margin-right:.5rem}
"""


def page(document: Mapping[str, Any], root: str) -> str:
    """The page.

    Args:
        document: The description.
        root: The prefix that a proxy serves us under.
    """
    parts: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            parts.setdefault(tag, []).append(_operation(document, root, path, method, operation))
    body = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag.capitalize())}</h2>{"".join(each)}' for tag, each in parts.items()
    )
    links = "".join(f'<li><a href="#{escape(tag)}">{escape(tag.capitalize())}</a></li>' for tag in (*parts, "problems"))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>The API · Matrix Census</title>'
        f'<style>{_STYLE}</style></head><body><header><p><a href="{escape(root)}/">Matrix Census</a></p></header>'
        f"<main><h1>The API</h1>{_prose(document['info']['description'])}"
        f'<p>The same for programs: <a href="{escape(root)}/api/v1/openapi.json">openapi.json</a> (OpenAPI '
        f'{escape(document["openapi"])}).</p><nav aria-label="Parts"><ul>{links}</ul></nav>{body}{_problems()}</main>'
        "</body></html>"
    )


def _operation(document: Mapping[str, Any], root: str, path: str, method: str, operation: Mapping[str, Any]) -> str:
    name = operation["operationId"]
    parameters = operation.get("parameters", [])
    rows = "".join(_parameter(document, each) for each in parameters)
    table = (
        '<div class="scroll"><table><thead><tr><th scope="col">Parameter</th><th scope="col">Where</th>'
        f'<th scope="col">Kind</th><th scope="col">Meaning</th></tr></thead><tbody>{rows}</tbody></table></div>'
        if rows
        else ""
    )
    return (
        f'<section aria-labelledby="{escape(name)}"><h3 id="{escape(name)}"><span class="method">'
        f"{escape(method.upper())}</span><code>{escape(path)}</code></h3>"
        f"{_prose(operation.get('description', ''))}{table}"
        f"<pre>{escape(_curl(document, root, path, method, operation))}</pre>"
        f"{_answers(document, operation)}</section>"
    )


def _parameter(document: Mapping[str, Any], each: Mapping[str, Any]) -> str:
    where = f"{each['in']}{', required' if each.get('required') else ''}"
    kind = _kind(document, each["schema"]).removesuffix(" or null")
    meaning = each.get("description") or each["schema"].get("description") or ""
    return (
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(where)}</td><td>{escape(kind)}</td>"
        f"<td>{_inline(meaning)}</td></tr>"
    )


def _curl(document: Mapping[str, Any], root: str, path: str, method: str, operation: Mapping[str, Any]) -> str:
    """A line that asks for it; POST sends the example of its body."""
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    query = []
    for each in parameters:
        example = next(iter(each["schema"].get("examples") or each.get("examples") or []), None)
        example = each.get("example", example)
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", quote(str(example if example is not None else 1), safe=""))
        elif each.get("required") or example is not None:
            query.append(f"{each['name']}={quote(str(example), safe='')}")
    url = f"http://127.0.0.1:8050{root}{path}{'?' if query else ''}{'&'.join(query)}"
    if method == "get":
        return f"curl '{url}'"
    body = _schema(document, operation["requestBody"]["content"]["application/json"]["schema"]["$ref"])
    example = next(iter(body.get("examples", [{}])), {})
    return f"curl -X {method.upper()} '{url}' -H 'Content-Type: application/json' \\\n  -d '{json.dumps(example)}'"


def _answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    lines = []
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if MEDIA_TYPE in content:
            continue
        lines.append(
            f"<p><strong>{escape(str(status))}</strong> {_inline(response.get('description', ''))} "
            f"{escape(', '.join(content))}</p>"
        )
        for part in content.values():
            reference = part.get("schema", {}).get("$ref")
            if reference:
                lines.append(_fields(document, reference))
            if "example" in part:
                text = escape(json.dumps(part["example"], indent=2, ensure_ascii=False))
                lines.append(f"<details><summary>Example</summary><pre>{text}</pre></details>")
    return "".join(lines)


def _fields(document: Mapping[str, Any], reference: str) -> str:
    """What is in an answer: its own fields, then those of its rows."""
    schema = _schema(document, reference)
    data = schema.get("properties", {}).get("data", {})
    row = data.get("items", data).get("$ref")
    schema = _schema(document, row) if row else schema
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(document, each))}</td>"
        f"<td>{_inline(each.get('description', ''))}</td></tr>"
        for name, each in schema.get("properties", {}).items()
    )
    of = "each of <code>data</code>" if data.get("type") == "array" else "<code>data</code>" if row else "the answer"
    return (
        f'<details><summary>Fields of {of}</summary><div class="scroll"><table><thead><tr><th scope="col">Field</th>'
        f'<th scope="col">Kind</th><th scope="col">Meaning</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _kind(document, _schema(document, schema["$ref"]))
    if "anyOf" in schema:
        return " or ".join(_kind(document, each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    kind = str(schema.get("format") or schema.get("type") or schema.get("const", "any"))
    default = schema.get("default")
    return kind if default in (None, "", []) else f"{kind}, {default} unless said otherwise"


def _schema(document: Mapping[str, Any], reference: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _problems() -> str:
    rows = "".join(
        f'<tr id="{kind.name}"><td>{kind.status}</td><td><code>{kind.name}</code></td><td>{escape(kind.title)}</td>'
        f"<td>{_inline(kind.remedy)}</td></tr>"
        for kind in KINDS
    )
    return (
        '<h2 id="problems">Problems</h2><p>Errors are problem details (RFC 9457); the end of <code>type</code> names '
        'the kind.</p><div class="scroll"><table><thead><tr><th scope="col">Status</th><th scope="col">Kind</th>'
        f'<th scope="col">Meaning</th><th scope="col">What to do</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _prose(text: str) -> str:
    """Paragraphs and lists of our own descriptions, in the little Markdown that they use."""
    parts: list[str] = []
    for block in text.strip().split("\n\n"):
        if block.startswith("* "):
            items = " ".join(block.split()).removeprefix("* ").split(" * ")
            parts.append(f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>")
        elif block:
            parts.append(f"<p>{_inline(' '.join(block.split()))}</p>")
    return "".join(parts)


def _inline(text: str) -> str:
    """Escaped, with `code` and **strong**."""
    for mark, tag in (("`", "code"), ("**", "strong")):
        pieces = (escape(text) if mark == "`" else text).split(mark)
        text = "".join(
            f"<{tag}>{piece}</{tag}>" if place % 2 and place < len(pieces) - 1 else piece
            for place, piece in enumerate(pieces)
        )
    return text
