"""The history of the Matrix specification, read from checkouts of its two repositories.

Releases and the proposals that each names are in the changelogs of matrix-spec (`content/changelog/vX.Y.md`, from v1.1
on); a proposal is accepted when its text is merged into matrix-spec-proposals (`proposals/NNNN-name.md`), so its
acceptance is the first commit that adds a file of its number. Dates are those of the committer, on the branch that is
checked out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from crawler.errors import UsageError
from crawler.sources.git import Head, head, is_shallow, read_git

CHANGELOG_BYTES = 4 * 1024 * 1024
_CHANGELOGS = Path("content") / "changelog"
_VERSION = re.compile(r"\Av\d{1,3}\.\d{1,3}\Z")
_DATE = re.compile(r"^date:\s*[\"']?(\d{4}-\d{2}-\d{2})", re.MULTILINE)
_ENTRY = re.compile(r"^- ", re.MULTILINE)
_MSC = re.compile(r"\[MSC(\d{1,5})\]\(")
_PROPOSAL = re.compile(r"\Aproposals/(\d{1,5})-([A-Za-z0-9._-]{1,150})\.md\Z")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its version, its day, the proposals that its changelog names, how many entries it has."""

    version: str
    released_on: date
    mscs: frozenset[int]
    entries: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """An accepted proposal. `slug` and `accepted_on` are None where only a changelog names it; `release` is the first
    that does, None: none."""

    msc: int
    slug: str | None
    accepted_on: date | None
    release: Release | None


@dataclass(frozen=True, slots=True)
class SpecHistory:
    """What two checkouts say, and which commits they are."""

    releases: tuple[Release, ...]
    proposals: tuple[Proposal, ...]
    spec: Head
    proposals_head: Head

    @property
    def version(self) -> str:
        """How it is cited: the commits of both."""
        return f"{self.spec.commit[:12]}+{self.proposals_head.commit[:12]}"

    @property
    def as_of(self) -> date:
        """The day up to which both speak."""
        return min(self.spec.at, self.proposals_head.at).date()


def read_spec(spec: Path, proposals: Path) -> SpecHistory:
    """Read both checkouts.

    Raises:
        UsageError: one is no such checkout.
        GitError: git cannot read one.
    """
    releases = read_releases(spec / _CHANGELOGS)
    accepted = read_acceptances(proposals)
    first = first_releases(releases)
    return SpecHistory(
        releases=releases,
        proposals=tuple(_proposal(msc, accepted.get(msc), first.get(msc)) for msc in sorted(accepted.keys() | first)),
        spec=head(spec),
        proposals_head=head(proposals),
    )


def _proposal(msc: int, accepted: tuple[str, date] | None, first: Release | None) -> Proposal:
    slug, day = accepted if accepted is not None else (None, None)
    return Proposal(msc, slug, day, first)


def read_releases(folder: Path) -> tuple[Release, ...]:
    """The releases whose changelogs are in a folder, oldest first.

    Raises:
        UsageError: there is none, or one cannot be read.
    """
    found = [file for file in sorted(folder.glob("v*.md")) if _VERSION.match(file.stem)]
    if not found:
        raise UsageError(f"{folder} holds no changelog of a release; --spec wants a checkout of matrix-spec")
    releases = []
    for file in found:
        try:
            if file.stat().st_size > CHANGELOG_BYTES:
                raise UsageError(f"{file} is no changelog: it is larger than {CHANGELOG_BYTES} bytes")
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {file}: {error}") from error
        release = parse_changelog(file.stem, text)
        if release is None:
            raise UsageError(f"{file} does not say when it was released")
        releases.append(release)
    return tuple(sorted(releases, key=lambda release: (release.released_on, _number(release.version))))


def parse_changelog(version: str, text: str) -> Release | None:
    """The release of a changelog; None when its front matter has no date."""
    said = _DATE.search(text)
    if said is None:
        return None
    try:
        released_on = date.fromisoformat(said[1])
    except ValueError:
        return None
    body = _COMMENT.sub("", text)
    return Release(version, released_on, frozenset(map(int, _MSC.findall(body))), len(_ENTRY.findall(body)))


def read_acceptances(checkout: Path) -> Mapping[int, tuple[str, date]]:
    """Name and day of acceptance of each proposal that stands in a checkout, by its number.

    Raises:
        UsageError: it holds no proposal, or lacks the beginning of its history.
        GitError: git cannot read it.
    """
    if is_shallow(checkout):
        raise UsageError(f"{checkout} lacks the beginning of its history; complete it: git fetch --unshallow")
    standing = {int(match[1]): match[2] for file in _proposal_files(checkout) if (match := _PROPOSAL.match(file))}
    if not standing:
        raise UsageError(f"{checkout} holds no proposals; --proposals wants a checkout of matrix-spec-proposals")
    accepted: dict[int, tuple[str, date]] = {}
    arguments = ["log", "--reverse", "--first-parent", "-m", "--diff-filter=A", "--no-renames", "--name-only", "-z"]
    with read_git(checkout, *arguments, "--format=%x01%ct", "--", "proposals/") as lines:
        day = None
        for part in "\n".join(lines).split("\0"):
            for text in part.split("\n"):
                if text.startswith("\x01"):
                    day = datetime.fromtimestamp(int(text[1:]), UTC).date()
                elif day is not None and (match := _PROPOSAL.match(text)) and int(match[1]) in standing:
                    # A file that is renamed later was accepted under its first name.
                    accepted.setdefault(int(match[1]), (standing[int(match[1])], day))
    return accepted


def _proposal_files(checkout: Path) -> list[str]:
    with read_git(checkout, "ls-tree", "--name-only", "-z", "HEAD", "proposals/") as lines:
        return "\n".join(lines).split("\0")


def first_releases(releases: Iterable[Release]) -> dict[int, Release]:
    """The first release that names each proposal; releases come oldest first."""
    first: dict[int, Release] = {}
    for release in releases:
        for msc in release.mscs:
            first.setdefault(msc, release)
    return first


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.removeprefix("v").split(".")))
