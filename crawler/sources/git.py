"""git as a subprocess, for repositories of strangers: it may read history, and fetch it over https, and nothing else.

A repository can carry settings that run programs (hooks, pagers, file system monitors, signature checks, transports),
and an address can lead to a file of this machine or into its network. So nothing of the machine's or a person's
settings is read, what a repository's own settings could start is switched off by name, nobody is asked anything, only
https is spoken and no redirect followed, the host's addresses are judged before (`protocol.addresses`) and pinned, and
every call has a deadline and a size. See gitconfig, `protocol.allow`, `http.curloptResolve`, and GIT_TERMINAL_PROMPT
in git's manual.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

from crawler.errors import CensusError, UsageError, printable
from crawler.protocol.addresses import AddressPolicy, is_ip_literal

HTTPS_PORT = 443
READ_S = 600.0
"""Longest reading of one repository's history."""
FETCH_S = 1800.0
"""Longest clone or fetch of one repository."""
FETCHED_BYTES = 2 * 1024**3
"""Largest clone; without files (`--filter=tree:0`) a million commits are some hundred megabytes."""
OUTPUT_BYTES = 1024**3
_LOOK_EVERY_S = 0.2
_SLOW_BYTES_A_S, _SLOW_S = 1000, 60

_SWITCHED_OFF = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.pager=cat", "core.sshCommand=false", "core.askPass=",
    "core.attributesFile=/dev/null", "core.alternateRefsCommand=false", "credential.helper=", "diff.external=",
    "log.showSignature=false", "gpg.program=false", "gpg.ssh.program=false", "gpg.x509.program=false",
    "gc.auto=0", "maintenance.auto=false", "submodule.recurse=false", "fetch.recurseSubmodules=false",
    "protocol.allow=never", "protocol.https.allow=always", "http.followRedirects=false", "http.proxy=",
    "http.cookieFile=",
    f"http.lowSpeedLimit={_SLOW_BYTES_A_S}", f"http.lowSpeedTime={_SLOW_S}", "log.mailmap=false", "mailmap.file=",
    "mailmap.blob=HEAD:.mailmap",
    "log.showRoot=true", "log.follow=false", "i18n.logOutputEncoding=utf-8",
)  # fmt: skip


class GitError(CensusError):
    """git could not do it; the message says of what repository, and how it ended."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest commit of a checkout: its name, and when it was committed."""

    commit: str
    at: datetime


def git_environment() -> dict[str, str]:
    """Ours, and of the machine's nothing but where programs are."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_PAGER": "cat",
    }


def _command(arguments: Sequence[str], settings: Sequence[str] = ()) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise UsageError("this needs git; install it and try again")
    flags = [part for setting in (*_SWITCHED_OFF, *settings) for part in ("-c", setting)]
    return [program, "--no-pager", *flags, *arguments]


@contextmanager
def read_git(repository: Path, *arguments: str, timeout_s: float = READ_S) -> Iterator[Iterator[str]]:
    """The lines of what git prints about a repository, without network.

    Args:
        repository: A checkout or a bare repository.
        arguments: A command that only reads.
        timeout_s: Of the whole.

    Raises:
        GitError: it fails, takes too long, or prints too much.
    """
    # safe.directory: the folder may be another person's, whose settings are switched off above.
    command = _command(["-C", str(repository), *arguments], ["safe.directory=*", "protocol.https.allow=never"])
    with TemporaryFile() as out, TemporaryFile() as errors:
        _run(command, out, errors, repository, timeout_s, None)
        out.seek(0)
        yield (line.decode("utf-8", "replace").rstrip("\n") for line in out)


def head(repository: Path) -> Head:
    """The newest commit of what is checked out.

    Raises:
        GitError: it is no repository, or has no commit.
    """
    with read_git(repository, "log", "-1", "--format=%H %ct") as lines:
        found = next(lines, "").split()
    if len(found) != 2:
        raise GitError(f"{repository} has no commit")
    return Head(found[0], datetime.fromtimestamp(int(found[1]), UTC))


def is_shallow(repository: Path) -> bool:
    """Whether a repository lacks the beginning of its history.

    Raises:
        GitError: it is no repository.
    """
    with read_git(repository, "rev-parse", "--is-shallow-repository") as lines:
        return next(lines, "") == "true"


def system_addresses(host: str) -> list[str]:
    """The addresses that this machine finds for a host.

    Raises:
        GitError: there is none.
    """
    try:
        found = socket.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    except OSError as error:
        raise GitError(f"{host} has no address: {error.strerror}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Clones, and brings clones up to date. `settings` are further ones of git, `KEY=VALUE`."""

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    addresses_of: Callable[[str], Sequence[str]] = system_addresses
    settings: tuple[str, ...] = ()
    timeout_s: float = FETCH_S
    limit_bytes: int = FETCHED_BYTES

    def fetch(self, url: str, to: Path) -> None:
        """Clone the history of an https repository, without its files, or bring an earlier clone up to date.

        Raises:
            GitError: the address may not be asked, or git fails, takes too long, or fetches too much; of a clone that
                was not finished nothing is left.
        """
        pin = self._pin(url)
        is_new = not (to / "HEAD").is_file()
        if is_new:
            to.parent.mkdir(parents=True, exist_ok=True)
            arguments = ["clone", "--quiet", "--bare", "--single-branch", "--no-tags", "--filter=tree:0", "--template="]
            arguments += ["--", url, str(to)]
        else:
            branch = (to / "HEAD").read_text("ascii").removeprefix("ref: ").strip()
            arguments = ["-C", str(to), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin"]
            arguments += [f"+HEAD:{branch}"]
        try:
            self._git(arguments, pin, url, to)
        except BaseException:
            if is_new:
                shutil.rmtree(to, ignore_errors=True)
            raise
        with suppress(GitError):  # most have no .mailmap, and git says so as it says everything
            self._git(["-C", str(to), "cat-file", "-e", "HEAD:.mailmap"], pin, url, to)

    def _git(self, arguments: Sequence[str], pin: str, url: str, to: Path) -> None:
        command = _command(arguments, ["safe.directory=*", *self.settings, f"http.curloptResolve={pin}"])
        with TemporaryFile() as out, TemporaryFile() as errors:
            _run(command, out, errors, printable(url), self.timeout_s, (to, self.limit_bytes))

    def _pin(self, url: str) -> str:
        """`HOST:PORT:ADDRESSES` of those that may be dialled, so that git does not look the name up again."""
        if not is_fetchable(url):
            raise GitError(f"{printable(url)} is no https address of a repository")
        parts = urlsplit(url)
        host = parts.hostname or ""
        addresses = [host] if is_ip_literal(host) else self.addresses_of(host)
        allowed = [address for address in addresses if self.policy.may_dial(address)]
        if not allowed:
            refused = addresses[0] if addresses else host
            raise GitError(f"{printable(url)}: {refused} may not be dialled: {self.policy.why_not(refused)}")
        spelled = ",".join(f"[{address}]" if ":" in address else address for address in allowed)
        return f"{host}:{parts.port or HTTPS_PORT}:{spelled}"


def is_fetchable(url: str) -> bool:
    """Whether an address has the shape of one that may be cloned: https, a host, no user and no password."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    return plain and has_port and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


def _run(
    command: list[str],
    out: IO[bytes],
    errors: IO[bytes],
    what: object,
    timeout_s: float,
    growing: tuple[Path, int] | None,
) -> None:
    """Run git to its end, in a process group of its own, which goes whole when time or room is used up."""
    give_up_at = time.monotonic() + timeout_s
    process = subprocess.Popen(  # noqa: S603 - our own command; what strangers chose stands behind --
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=git_environment(), start_new_session=True
    )
    try:
        while True:
            try:
                process.wait(min(_LOOK_EVERY_S, max(0.0, give_up_at - time.monotonic())))
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() >= give_up_at:
                    raise GitError(f"{what}: git was not done after {timeout_s:.0f} s") from None
                if growing is not None and _size(growing[0]) > growing[1]:
                    raise GitError(f"{what}: more than {growing[1]} bytes") from None
                if os.fstat(out.fileno()).st_size > OUTPUT_BYTES:
                    raise GitError(f"{what}: git prints more than {OUTPUT_BYTES} bytes") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        errors.seek(0)
        said = errors.read(2000).decode("utf-8", "replace").strip().splitlines()
        raise GitError(f"{what}: {printable(said[-1]) if said else f'git ended with {process.returncode}'}")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
