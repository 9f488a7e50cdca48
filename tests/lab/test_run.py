"""The practice federation as a process: its line, its files, its end; and what it saw."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from crawler.engine.identity import key_service, read_identity
from crawler.engine.seeds import read_seeds
from crawler.errors import UsageError
from crawler.lab.hosting import REFUSING_PORT
from crawler.lab.run import LabOptions, run_lab
from crawler.settings import load_settings
from tests.lab.conftest import LabMaker

PROGRAM = """
import sys
from pathlib import Path
from crawler.lab.run import LabOptions, run_lab
run_lab(LabOptions(servers=30, seed=4, truth=Path(sys.argv[1]), log=Path(sys.argv[2])))
"""

IN_FOLDER = """
import sys
from pathlib import Path
from crawler.lab.run import LabOptions, run_lab
run_lab(LabOptions(servers=3, directory=Path(sys.argv[1])))
"""


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive a test that fails."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_says_how_to_reach_it_and_ends_when_told_to(tmp_path: Path, ending: signal.Signals) -> None:
    truth, log = tmp_path / "truth.json", tmp_path / "log.jsonl"
    with running(sys.executable, "-c", PROGRAM, str(truth), str(log)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = json.loads(process.stdout.readline())
        assert list(line) == [
            "dns",
            "ca",
            "connect",
            "allow_address",
            "seeds",
            "identity",
            "serve_key",
            "tls_cert",
            "tls_key",
        ]
        # Each value is good for the option of its name.
        settings = load_settings(
            dns=line["dns"],
            ca=line["ca"],
            connect=tuple(line["connect"]),
            allow_address=tuple(line["allow_address"]),
        )
        assert not settings.network.is_live
        identity = read_identity(Path(line["identity"]))
        assert stat.S_IMODE(Path(line["identity"]).stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(line["tls_key"]).stat().st_mode) == 0o600
        assert str(identity.server_name) == "crawler.census.test"
        assert key_service(line["serve_key"], Path(line["tls_cert"]), Path(line["tls_key"])).port > 0
        names = [name.raw for name, _ in read_seeds(Path(line["seeds"]))]
        told = json.loads(truth.read_text("utf-8"))
        assert told["seeds"] == names
        assert len(told["servers"]) == 30
        assert Path(line["ca"]).is_file()
        process.send_signal(ending)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
    assert not Path(line["ca"]).parent.exists()
    assert log.read_text("utf-8") == ""


def test_files_stay_in_a_folder_that_was_named(tmp_path: Path) -> None:
    where = tmp_path / "a" / "lab"
    with running(sys.executable, "-c", IN_FOLDER, str(where)) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 0
    assert Path(line["ca"]).parent == where
    assert sorted(file.name for file in where.iterdir()) == [
        "ca.pem",
        "crawler-cert.pem",
        "crawler-key.pem",
        "identity.json",
        "seeds.txt",
    ]


@pytest.mark.parametrize("option", ["truth", "log", "directory"])
def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("in the way")
    bad = tmp_path / "file" / "below"
    with pytest.RaisesGroup(pytest.RaisesExc(UsageError, match="cannot write"), flatten_subgroups=True):
        run_lab(LabOptions(servers=2, **{option: bad}))  # type: ignore[arg-type]


async def test_what_was_seen_is_told(lab: LabMaker, tmp_path: Path) -> None:
    log = tmp_path / "seen.jsonl"
    async with lab(servers=40, log=log) as stranger:
        world = stranger.lab.world
        target = next(t for t in world.presence(0).targets if t.works)
        uri = "/_matrix/federation/v1/version"
        await stranger.federation(0, uri)
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(stranger.federation, 0, "/_matrix/key/v2/server")
        # The right server under the wrong Host, and with the wrong name in the handshake.
        page = await stranger.get(target.address, target.port, "other.example", target.tls_name, uri)
        assert page.status == 421
        elsewhere = next(t for t in world.presence(1).targets if t.works)
        page = await stranger.get(target.address, elsewhere.port, elsewhere.host_header, target.tls_name, uri)
        assert page.status == 421
        kept = list(stranger.lab.seen.sightings)
    assert [s.server for s in kept] == [world.names[0]] * 6 + [None, None]
    assert kept[0].address == target.address
    assert kept[0].user_agent == "stranger"
    assert (kept[0].method, kept[0].target, kept[0].status, kept[0].port) == ("GET", uri, 200, target.port)
    assert all(1 <= s.together <= 5 for s in kept)
    assert [s.at_s for s in kept] == sorted(s.at_s for s in kept)
    written = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert len(written) == 8
    assert {entry["status"] for entry in written} == {200, 421}


async def test_together_counts_what_is_in_flight_at_one_address(lab: LabMaker) -> None:
    from crawler.lab.seen import Seen
    from crawler.listen.message import Request

    clock = iter(range(100))
    seen = Seen(lambda: float(next(clock)), keep=True)
    request = Request("GET", "/", ())
    first = seen.begin("a.test", "127.64.0.1", 443, "a.test", request)
    second = seen.begin("b.test", "127.64.0.1", 443, "b.test", request)
    other = seen.begin("c.test", "127.64.0.9", 443, "c.test", request)
    seen.end(first, 200)
    third = seen.begin("a.test", "127.64.0.1", 443, "a.test", request)
    assert [s.together for s in (first, second, other, third)] == [1, 2, 1, 2]
    assert (first.at_s, first.took_s) == (1.0, 3.0)


async def test_the_refusing_port_refuses_and_the_silent_one_is_silent(lab: LabMaker) -> None:
    async with lab(servers=2) as stranger:
        with pytest.raises(ConnectionRefusedError):
            await stranger.dial("127.64.0.77", REFUSING_PORT)
        for _ in range(3):
            with pytest.raises(trio.TooSlowError):
                await stranger.dial("127.121.0.0", 8448)
        with pytest.raises(ConnectionRefusedError):
            await stranger.dial("127.64.0.77", 22)
