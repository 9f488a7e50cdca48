"""The files that a crawler of the practice federation is started with."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from crawler.lab.certificates import Authority
from crawler.lab.world import CRAWLER_NAME, World
from crawler.protocol.signing import Identity, dump_identity


@dataclass(frozen=True, slots=True)
class LabFiles:
    """Absolute paths: whoever is told of them may stand in another folder."""

    ca: Path
    seeds: Path
    identity: Path
    tls_cert: Path
    tls_key: Path


def write_files(directory: Path, world: World, authority: Authority, identity: Identity) -> LabFiles:
    """Write them; what holds a key is for its owner alone."""
    directory.mkdir(parents=True, exist_ok=True)
    root = directory.resolve()
    files = LabFiles(
        ca=root / "ca.pem",
        seeds=root / "seeds.txt",
        identity=root / "identity.json",
        tls_cert=root / "crawler-cert.pem",
        tls_key=root / "crawler-key.pem",
    )
    _write(files.ca, authority.pem().decode())
    _write(files.seeds, "".join(f"{line}\n" for line in ["# Seeds of the practice federation.", *world.seeds()]))
    _write(files.identity, dump_identity(identity), secret=True)
    _write(files.tls_cert, authority.issue([CRAWLER_NAME]).decode())
    _write(files.tls_key, authority.leaf_key_pem().decode(), secret=True)
    return files


def write_json(path: Path, document: dict[str, object]) -> None:
    """`--truth FILE` and `--manners FILE`."""
    _write(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, text: str, *, secret: bool = False) -> None:
    path.unlink(missing_ok=True)  # a file from before may have another mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
