"""Developers: who wrote the commits of the repositories of a list, and on which days.

Read from git's history alone. A commit counts on its author's day (UTC), once however many repositories have it, and
not at all when it is a merge, a program's, or its fork's origin's; "the same commit" is the same address at the same
second, which survives a rebase. Whoever is only named in it (co-author, reviewer) is not counted.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from crawler.errors import UsageError
from crawler.sources.git import Fetcher, GitError, is_fetchable, is_shallow, read_git
from crawler.sources.people import Bots, Families, full_name, one_spelling
from crawler.sources.repositories import Repository, RepositoryList, one_address

_FORMAT = "--format=%at%x1f%ae%x1f%an%x1f%aE%x1f%aN"
_PARTS = 5
_NAME_WORDS = 2
"""A name of fewer words is no full name: there are many Alexes."""
EARLIEST = date(1990, 1, 1)
_MISTAKEN_CLOCK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says of its author: when, and who, as written and as the repository's `.mailmap` has it."""

    at: int
    address: str
    name: str
    mapped_address: str
    mapped_name: str

    @property
    def identity(self) -> bytes:
        """The same for the same commit in another history."""
        return hashlib.blake2b(f"{self.at} {self.address.lower()}".encode(), digest_size=12).digest()


@dataclass(slots=True)
class Authorship:
    """Days on which each address made a commit, commits of each month, and which addresses are one person's: by
    `.mailmap` (`people`), and by the same full name besides (`namesakes`). `active` are the days on which a person
    committed to each public repository, `left_out` counts what was not counted."""

    days: dict[str, set[date]] = field(default_factory=dict)
    commits: Counter[date] = field(default_factory=Counter)
    people: Families = field(default_factory=Families)
    namesakes: Families = field(default_factory=Families)
    active: dict[str, set[date]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    unread: dict[str, str] = field(default_factory=dict)
    read: int = 0

    @property
    def as_of(self) -> date:
        """The day of the newest commit."""
        return max(day for days in self.days.values() for day in days)


def read_developers(
    listed: RepositoryList,
    clones: Path,
    bots: Bots,
    *,
    fetcher: Fetcher | None,
    now: datetime,
    say: Callable[[str], None],
) -> Authorship:
    """Read the repositories of a list.

    Args:
        listed: The list.
        clones: Folder of clones that were made, and where new ones are put.
        bots: Programs that commit.
        fetcher: Clones, and brings clones up to date; None: what is there is read as it is.
        now: Commits of later days are a mistake.
        say: Told of each repository.

    Raises:
        UsageError: not one of the repositories could be read.
    """
    authorship = Authorship()
    reader = _Reader(listed, clones, fetcher)
    seen: set[bytes] = set()
    for number, repository in enumerate(listed.repositories, 1):
        say(f"{number} of {len(listed.repositories)}: {repository.url}")
        try:
            origin = reader.identities(repository.fork_of) if repository.fork_of is not None else frozenset()
            place = reader.place(repository)
            its_days: set[date] = set()
            with read_commits(place) as commits:
                _add(authorship, commits, bots, origin, seen, its_days, now)
        except GitError as error:
            authorship.unread[repository.url] = str(error)
            say(f"  not read: {error}")
            continue
        authorship.read += 1
        if repository.path is None:
            authorship.active[one_address(repository.url)] = its_days
    if not authorship.days:
        first = next(iter(authorship.unread.values()), "they have no commit of a person")
        raise UsageError(f"no developers found in the repositories of {listed.name}: {first}")
    return authorship


class _Reader:
    """Where the repositories of a list are on this machine."""

    def __init__(self, listed: RepositoryList, clones: Path, fetcher: Fetcher | None) -> None:
        self._listed = {one_address(repository.url): repository for repository in listed.repositories}
        self._clones = clones
        self._fetcher = fetcher
        self._places: dict[str, Path] = {}

    def place(self, repository: Repository) -> Path:
        """A repository's folder, fetched once.

        Raises:
            GitError: it is not there, cannot be fetched, or lacks the beginning of its history.
        """
        place = repository.path or clone_of(self._clones, repository.url)
        if one_address(repository.url) not in self._places:
            if repository.path is None and self._fetcher is not None:
                self._fetcher.fetch(repository.url, place)
            if not place.is_dir():
                raise GitError(f"there is no clone {place}")
            if is_shallow(place):
                raise GitError(f"{place} lacks the beginning of its history; complete it: git fetch --unshallow")
            self._places[one_address(repository.url)] = place
        return place

    def identities(self, url: str) -> frozenset[bytes]:
        """Those of all commits of the origin of a fork, which need not be on the list.

        Raises:
            GitError: likewise.
        """
        unlisted = Repository(url, None if is_fetchable(url) else Path(url))
        with read_commits(self.place(self._listed.get(one_address(url), unlisted))) as commits:
            return frozenset(commit.identity for commit in commits)


def clone_of(clones: Path, url: str) -> Path:
    """Where the clone of an address is: one folder, whose name nobody can steer."""
    digest = hashlib.sha256(one_address(url).encode()).hexdigest()[:16]
    words = "".join(c if c.isalnum() else "-" for c in one_address(url).removeprefix("https://"))[:80]
    return clones / f"{words}-{digest}.git"


@contextmanager
def read_commits(repository: Path) -> Iterator[Iterator[Commit]]:
    """The commits of a repository that are no merges.

    Raises:
        GitError: git cannot read it.
    """
    with read_git(repository, "log", "HEAD", "--no-merges", "--no-show-signature", _FORMAT) as lines:
        yield (commit for line in lines if (commit := _parse(line)) is not None)


def _parse(line: str) -> Commit | None:
    parts = line.split("\x1f")
    if len(parts) != _PARTS or not parts[0].lstrip("-").isdecimal():
        return None  # a name with a control character in it; nobody's
    return Commit(int(parts[0]), *parts[1:])


def _add(
    authorship: Authorship,
    commits: Iterator[Commit],
    bots: Bots,
    origin: frozenset[bytes],
    seen: set[bytes],
    its_days: set[date],
    now: datetime,
) -> None:
    """Count the commits of a repository; the days of those that are its own are added to `its_days`, also where another
    repository has them, too."""
    last = (now + _MISTAKEN_CLOCK).date()
    ours: set[bytes] = set()
    for commit in commits:
        identity = commit.identity
        ours.add(identity)
        if identity in origin:
            authorship.left_out["of the origin of a fork"] += 1
            continue
        is_of_program = bots.has(commit.address, commit.name) or bots.has(commit.mapped_address, commit.mapped_name)
        day = _day(commit.at, last)
        if not is_of_program and day is not None:
            its_days.add(day)
        if identity in seen:
            authorship.left_out["in another repository, too"] += 1
        elif is_of_program:
            authorship.left_out["of programs"] += 1
        elif day is None:
            authorship.left_out["of no possible day"] += 1
        else:
            _count(authorship, commit, day)
    seen |= ours


def _count(authorship: Authorship, commit: Commit, day: date) -> None:
    address = one_spelling(commit.address, commit.name)
    mapped = one_spelling(commit.mapped_address, commit.mapped_name)
    authorship.days.setdefault(address, set()).add(day)
    authorship.commits[day.replace(day=1)] += 1
    for families in (authorship.people, authorship.namesakes):
        families.join(address, mapped)
    name = full_name(commit.mapped_name)
    if len(name.split()) >= _NAME_WORDS:
        authorship.namesakes.join(address, f"\N{FULL STOP}{name}")


def _day(at: int, last: date) -> date | None:
    """The day of a time; None where it cannot be that of a commit."""
    try:
        day = datetime.fromtimestamp(at, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
    return day if EARLIEST <= day <= last else None
