"""Lists of names to start from, and what kinds of list are understood.

- plain text: one name a line, `#` starts a comment; a name that is none is an error, since a person wrote it
- a JSON list of names, or an object whose keys are names: `/catalog/servers` (`/objects`) of Matrix Rooms Search
- the JSON answer of the-federation.info's GraphQL: `data.thefederation_node`, a list of objects with `host`

Names in JSON come from programs: what is none of a server is left out and counted.
"""

import json
import re
from pathlib import Path
from typing import Any

from crawler.errors import ProtocolError, UsageError
from crawler.model.crawl import LeadSource
from crawler.model.names import HostKind, ServerName, parse_server_name, try_server_name
from crawler.resources import shipped

Seed = tuple[ServerName, LeadSource]

_JSON = re.compile(r"\s*(\{|\[\s*[\"{\]])")
"""How a list in JSON begins; a line may begin with a bracket too, that of an IPv6 address."""

LIST_LIMIT_BYTES = 64 * 1024 * 1024
"""Of a list."""


def shipped_seeds() -> list[ServerName]:
    """The seeds that come with the program."""
    return [name for file in sorted(shipped("seeds").glob("*.txt")) for name, _ in read_seeds(file)]


def read_seeds(path: Path) -> list[Seed]:
    """Read a list from a file.

    Raises:
        UsageError: naming the file and, of plain text, the line.
    """
    try:
        if path.stat().st_size > LIST_LIMIT_BYTES:
            raise UsageError(f"{path} is larger than {LIST_LIMIT_BYTES} bytes; that is no list of seeds")
        return parse_seeds(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"cannot read the seeds file {path}: {error.strerror}") from error


def parse_seeds(content: bytes, where: str) -> list[Seed]:
    """The names in a list, each once, and the kind of list.

    Args:
        where: what a person is told about.

    Raises:
        UsageError: it is no list, or names no server.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{where}, line {line}: not UTF-8 text; a seeds file has one server name a line") from error
    seeds = _from_json(text, where) if _JSON.match(text) else _from_lines(text, where)
    if not seeds:
        raise UsageError(f"{where} names no server; a seeds file has one server name a line, or is a JSON list of them")
    return list({name.key: (name, source) for name, source in reversed(seeds)}.values())[::-1]


def _from_lines(text: str, where: str) -> list[Seed]:
    seeds: list[Seed] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        entry = raw.partition("#")[0].strip()
        if not entry:
            continue
        try:
            seeds.append((typed_server_name(entry), LeadSource.SEED))
        except UsageError as error:
            raise UsageError(f"{where}, line {number}: {error}") from error
    return seeds


def _from_json(text: str, where: str) -> list[Seed]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} begins like JSON and is none: {error}") from error
    names, source = _names_in(document)
    if names is None:
        raise UsageError(
            f"{where} is JSON of no kind that is known: neither a list of names (Matrix Rooms Search), nor an object "
            "by name, nor an answer of the-federation.info"
        )
    found = (try_server_name(name) for name in names if isinstance(name, str))
    return [(name, source) for name in found if name is not None]


def _names_in(document: Any) -> tuple[list[Any] | None, LeadSource]:
    if isinstance(document, list):
        return document, LeadSource.MRS_CATALOG
    data = document.get("data")
    nodes = data.get("thefederation_node") if isinstance(data, dict) else None
    if isinstance(nodes, list):
        return [node.get("host") for node in nodes if isinstance(node, dict)], LeadSource.FEDERATION_INFO
    if document and all(isinstance(value, dict) for value in document.values()) and "data" not in document:
        return list(document), LeadSource.MRS_CATALOG
    return None, LeadSource.SEED


def typed_server_name(text: str) -> ServerName:
    """A server name as a person types it: a Unicode host becomes its A-label, a trailing dot is forgiven.

    Raises:
        UsageError: saying what is wrong with it.
    """
    ascii_text = text
    if not text.isascii():
        host, colon, port = text.partition(":")
        ascii_text = _a_label(text, host) + colon + port
    try:
        name = parse_server_name(ascii_text)
    except ProtocolError as error:
        stripped = ascii_text.removesuffix(".")
        if stripped != ascii_text and stripped:
            return typed_server_name(stripped)
        raise UsageError(f"{text!r} is no server name: {error}") from error
    if name.kind is HostKind.DNS and "." not in name.host and name.host != "localhost":
        raise UsageError(f"{text!r} is no server name that can be found: it has no dot")
    return name


def _a_label(text: str, host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise UsageError(f"{text!r} is no server name: {error}") from error
