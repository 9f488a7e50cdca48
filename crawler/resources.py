"""Where the files that ship are: `data/` in the source tree, `crawler/_data/` in an installed wheel."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """The path of a shipped file or folder, for example `shipped("schema")`."""
    installed = _HERE / "_data"
    root = installed if installed.is_dir() else _HERE.parent / "data"
    return root.joinpath(*parts)
