"""Repositories made for a test: every commit's author, dates and files are its own choice."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Repository:
    path: Path

    @classmethod
    def new(cls, path: Path) -> "Repository":
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    def clone(self, path: Path) -> "Repository":
        subprocess.run(["git", "clone", "--quiet", str(self.path), str(path)], check=True, env=_environment())
        return Repository(path)

    def git(self, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=_environment() | more,
        )
        return done.stdout.strip()

    def commit(
        self,
        author: str,
        day: str,
        files: Mapping[str, str] | None = None,
        *,
        committed: str | None = None,
        committer: str = "Committer <committer@example.org>",
    ) -> str:
        """Commit files; without any, an empty commit. `author` is `Name <address>`, `day` YYYY-MM-DD or a time."""
        for name, text in (files or {}).items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "-A")
        name, _, address = committer.partition(" <")
        at = f"{committed or day}T12:00:00+0000" if "T" not in (committed or day) else (committed or day)
        self.git(
            "commit", "--quiet", "--allow-empty", "-m", f"by {author} on {day}", f"--author={author}",
            f"--date={day if 'T' in day else f'{day}T12:00:00+0000'}",
            GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=address.rstrip(">"), GIT_COMMITTER_DATE=at,
        )  # fmt: skip
        return self.git("rev-parse", "HEAD")


def _environment() -> dict[str, str]:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent", "LC_ALL": "C"}
    return {"PATH": os.environ["PATH"]} | own
