"""Lists of names to start from: one name a line, `#` starts a comment."""

from pathlib import Path

from crawler.errors import ProtocolError, UsageError
from crawler.model.names import HostKind, ServerName, parse_server_name
from crawler.resources import shipped


def shipped_seeds() -> list[ServerName]:
    """The seeds that come with the program."""
    return [name for file in sorted(shipped("seeds").glob("*.txt")) for name in read_seeds(file)]


def read_seeds(path: Path) -> list[ServerName]:
    """Read a seeds file.

    Raises:
        UsageError: naming the file and the line.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the seeds file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: not UTF-8 text; a seeds file has one server name a line") from error
    names: list[ServerName] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        entry = raw.partition("#")[0].strip()
        if not entry:
            continue
        try:
            names.append(typed_server_name(entry))
        except UsageError as error:
            raise UsageError(f"{path}, line {number}: {error}") from error
    if not names:
        raise UsageError(f"{path} names no server; a seeds file has one server name a line")
    return names


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
