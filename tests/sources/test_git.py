"""git as a subprocess: what it may do for us, and what no repository and no address makes it do."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crawler.protocol.addresses import AddressPolicy
from crawler.sources.git import Fetcher, GitError, head, is_fetchable, is_shallow, read_git
from tests.sources.git_site import git_site
from tests.sources.repositories import Repository
from tests.synapse.federation import Network, open_network
from tests.synapse.front import Front, Reply

ADA = "Ada Lovelace <ada@example.org>"


def subjects(repository: Path) -> list[str]:
    with read_git(repository, "log", "HEAD", "--format=%an <%aE>") as lines:
        return list(lines)


@dataclass(frozen=True, slots=True)
class Site:
    """`https://git.test:PORT`, and what a fetcher has to know to reach it."""

    url: str
    root: Path
    front: Front
    fetcher: Fetcher


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    root = tmp_path / "root"
    root.mkdir()
    with open_network(tmp_path) as network, git_site(root) as upstream:
        yield from _front(network, root, upstream)


def _front(network: Network, root: Path, upstream: tuple[str, int]) -> Iterator[Site]:
    place = (network.address(40), network.https_port)
    with Front([place], network.authority.issue("git", ["git.test"]), upstream=upstream) as front:
        fetcher = Fetcher(
            policy=AddressPolicy(("127.0.0.0/8",)),
            addresses_of=lambda host: [place[0]] if host == "git.test" else [],
            settings=(f"http.sslCAInfo={network.authority.file}",),
            timeout_s=120.0,
        )
        yield Site(f"https://git.test:{place[1]}", root, front, fetcher)


def test_a_history_is_cloned_without_its_files_and_brought_up_to_date(site: Site, tmp_path: Path) -> None:
    made = Repository.new(site.root / "demo")
    made.git("config", "uploadpack.allowFilter", "true")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    made.commit(
        ADA, "2024-01-01", {"big.bin": "x" * 500_000, ".mailmap": "Ada <countess@example.org> <ada@example.org>\n"}
    )
    clone = tmp_path / "clones" / "demo.git"
    site.fetcher.fetch(f"{site.url}/demo/.git", clone)
    assert subjects(clone) == ["Ada Lovelace <countess@example.org>"]  # the .mailmap was fetched, too
    with read_git(clone, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)") as lines:
        assert sorted(lines) == ["blob", "commit", "tree"]
    made.commit("Grace Hopper <grace@example.org>", "2024-02-01", {"README": "x"})
    site.fetcher.fetch(f"{site.url}/demo/.git", clone)
    assert subjects(clone)[0] == "Grace Hopper <grace@example.org>"
    assert head(clone).commit == made.git("rev-parse", "HEAD")
    assert {seen.sni for seen in site.front.seen} == {"git.test"}


def test_no_redirect_is_followed(site: Site, tmp_path: Path) -> None:
    made = Repository.new(site.root / "demo")
    made.commit(ADA, "2024-01-01")
    moved = Reply(301, headers=(("Location", f"{site.url}/demo/.git/info/refs?service=git-upload-pack"),))
    site.front.routes["/old/info/refs"] = moved
    with pytest.raises(GitError):
        site.fetcher.fetch(f"{site.url}/old", tmp_path / "old.git")
    assert not (tmp_path / "old.git").exists()
    assert len(site.front.seen) == 1


def test_a_certificate_that_does_not_verify_and_a_name_without_address(site: Site, tmp_path: Path) -> None:
    with pytest.raises(GitError):
        Fetcher(site.fetcher.policy, site.fetcher.addresses_of).fetch(f"{site.url}/demo", tmp_path / "a.git")
    with pytest.raises(GitError, match="may not be dialled"):
        site.fetcher.fetch(f"{site.url}/demo".replace("git.test", "nobody.test"), tmp_path / "b.git")


def test_what_grows_too_large_or_takes_too_long_is_ended(site: Site, tmp_path: Path) -> None:
    made = Repository.new(site.root / "demo")
    made.commit(ADA, "2024-01-01")
    slow = Fetcher(site.fetcher.policy, site.fetcher.addresses_of, site.fetcher.settings, timeout_s=0.0)
    with pytest.raises(GitError, match="not done"):
        slow.fetch(f"{site.url}/demo/.git", tmp_path / "slow.git")
    assert not (tmp_path / "slow.git").exists()


def test_special_addresses_are_not_dialled(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254"):
        with pytest.raises(GitError, match="may not be dialled"):
            Fetcher().fetch(f"https://{host}/x", tmp_path / "x")
    with pytest.raises(GitError, match="may not be dialled"):
        Fetcher(addresses_of=lambda _: ["192.168.0.1"]).fetch("https://inside.example/x", tmp_path / "x")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x", "file:///etc", "/etc", "ssh://example.org/x", "git@example.org:x", "ext::sh -c id",
        "https://user:secret@example.org/x", "https:///x", "https://example.org:x/y", "--upload-pack=id", "",
        "https://exa mple.org/x", "https://example.org/\nx", "https://ex\u00e4mple.org/x", "git://example.org/x",
    ],
)  # fmt: skip
def test_only_https_addresses_are_fetched(url: str, tmp_path: Path) -> None:
    assert not is_fetchable(url)
    with pytest.raises(GitError, match="no https address"):
        Fetcher().fetch(url, tmp_path / "x")


def test_nothing_that_a_repository_brings_is_run(tmp_path: Path) -> None:
    """Each setting that could start a program when history is read would leave a mark."""
    made = Repository.new(tmp_path / "trap")
    made.commit(ADA, "2024-01-01")
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 >> {mark}\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "gpg.program", "core.editor",
                "pager.log", "core.askPass", "core.alternateRefsCommand", "credential.helper"):  # fmt: skip
        made.git("config", key, str(program))
    made.git("config", "log.showSignature", "true")
    made.git("config", "alias.log", f"!{program}")
    hooks = made.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (hooks / hook).write_text(program.read_text())
        (hooks / hook).chmod(0o755)
    assert subjects(made.path) == ["Ada Lovelace <ada@example.org>"]
    assert head(made.path).commit == made.git("-c", "core.fsmonitor=false", "rev-parse", "HEAD")
    assert not is_shallow(made.path)
    assert not mark.exists()


def test_a_folder_without_history_is_told(tmp_path: Path) -> None:
    Repository.new(tmp_path / "empty")
    for folder in (tmp_path / "empty", tmp_path / "not-there"):
        with pytest.raises(GitError, match=folder.name):
            head(folder)
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare")], check=True)
    with pytest.raises(GitError):
        head(tmp_path / "bare")
