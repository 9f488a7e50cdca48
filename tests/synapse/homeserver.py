"""One real Synapse: its configuration, its process, its logs. SQLite, TLS, no network but loopback."""

import base64
import contextlib
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.synapse.certificates import Certificate

Place = tuple[str, int]

ROOT = Path(__file__).resolve().parents[2]
READY_S = 120.0
"""A start takes 5 to 20 s; two cores shared with other tests can make that minutes."""
STOP_S = 5.0

_UNLIMITED = {"per_second": 1000, "burst_count": 1000}


class HomeserverError(Exception):
    """Synapse did not start. The message carries the end of its logs."""


@dataclass(frozen=True, slots=True)
class Options:
    """What tests turn.

    `open_over_federation`: the room directory answers other servers (Synapse's own default is no).
    `open_without_auth`: it answers clients without a token (Synapse's default is no).
    `default_federation_limits`: leave `rc_federation` as Synapse ships it.
    `usage_report_every_s`: when usage reports go out; None leaves it at after 5 minutes and every 3 hours.
    `leave_from`: the address that its connections leave from; None: 127.0.0.1, as all on loopback.
    `more`: top-level settings of homeserver.yaml, over ours.
    """

    open_over_federation: bool = True
    open_without_auth: bool = False
    default_federation_limits: bool = False
    usage_report_every_s: float | None = None
    leave_from: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Homeserver:
    """A homeserver's name, where it keeps its files, and where it listens.

    `tls` serves federation and clients over TLS; `plain` the same, and the admin API, over HTTP.
    """

    name: str
    directory: Path
    tls: Place
    plain: Place
    certificate: Certificate
    shared_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @property
    def plain_url(self) -> str:
        return f"http://{self.plain[0]}:{self.plain[1]}"

    @property
    def logs(self) -> tuple[Path, Path]:
        """What the process printed, and what Synapse logged."""
        return self.directory / "process.log", self.directory / "homeserver.log"

    @property
    def database(self) -> Path:
        return self.directory / "homeserver.db"

    def background_updates(self) -> int:
        """How many updates of the database are still to be done; the admin API tells only of the one that runs."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10.0)) as database:
            (count,) = database.execute("SELECT count(*) FROM background_updates").fetchone()
        return int(count)

    def configuration(self, ca_file: Path, options: Options) -> dict[str, Any]:
        """homeserver.yaml, as a dictionary."""
        configuration: dict[str, Any] = {
            "server_name": self.name,
            "report_stats": False,
            "pid_file": str(self.directory / "homeserver.pid"),
            "public_baseurl": f"{self.plain_url}/",
            "listeners": [
                _listener(self.tls, tls=True),
                _listener(self.plain, tls=False),
            ],
            "tls_certificate_path": str(self.certificate.chain),
            "tls_private_key_path": str(self.certificate.key),
            "federation_custom_ca_list": [str(ca_file)],
            # Loopback is on the default list, and loopback is where everybody lives here.
            "ip_range_blacklist": [],
            # The default asks a server on the internet for everybody's keys.
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "database": {"name": "sqlite3", "args": {"database": str(self.database)}},
            "signing_key_path": str(self.directory / "signing.key"),
            "media_store_path": str(self.directory / "media"),
            "log_config": str(self.directory / "log.yaml"),
            "registration_shared_secret": self.shared_secret,
            "macaroon_secret_key": secrets.token_hex(16),
            "form_secret": secrets.token_hex(16),
            "allow_public_rooms_over_federation": options.open_over_federation,
            "allow_public_rooms_without_auth": options.open_without_auth,
            # Since 1.126 nothing may be published unless a rule says so.
            "room_list_publication_rules": [{"action": "allow"}],
            "presence": {"enabled": False},
            # A new database is brought up to date in the background: at once, rather than politely.
            "background_updates": {"sleep_enabled": False},
            # One failed try must not silence a peer for ten minutes.
            "federation": {
                "client_timeout": "10s",
                "max_short_retries": 1,
                "max_short_retry_delay": "1s",
                "destination_min_retry_interval": "1s",
                "destination_max_retry_interval": "5s",
            },
            "rc_message": _UNLIMITED,
            "rc_registration": _UNLIMITED,
            "rc_login": {"address": _UNLIMITED, "account": _UNLIMITED, "failed_attempts": _UNLIMITED},
            "rc_joins": {"local": _UNLIMITED, "remote": _UNLIMITED},
            "rc_joins_per_room": _UNLIMITED,
            "rc_invites": {"per_room": _UNLIMITED, "per_user": _UNLIMITED, "per_issuer": _UNLIMITED},
            "rc_room_creation": _UNLIMITED,
        }
        if not options.default_federation_limits:
            configuration["rc_federation"] = {
                "window_size": 1000,
                "sleep_limit": 1000,
                "sleep_delay": 1,
                "reject_limit": 1000,
                "concurrent": 50,
            }
        return configuration | dict(options.more)

    def write_configuration(self, ca_file: Path, options: Options) -> Path:
        """Write homeserver.yaml, log.yaml and the signing key into `directory`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "homeserver.yaml"
        path.write_text(_yaml(self.configuration(ca_file, options)))
        (self.directory / "log.yaml").write_text(_yaml(_logging(self.logs[1])))
        # A key ID is never used for two keys: peers keep what they fetched.
        seed = secrets.token_bytes(32)
        (self.directory / "signing.key").write_text(f"ed25519 a_{secrets.token_hex(4)} {_unpadded(seed)}\n")
        return path


class Process:
    """A running homeserver. Started at once, so that several can start side by side; `wait_ready` before use."""

    def __init__(
        self,
        server: Homeserver,
        ca_file: Path,
        dns: Place,
        *,
        connect: Sequence[str] = (),
        options: Options | None = None,
    ) -> None:
        self.server = server
        options = options or Options()
        command = [sys.executable, "-m", "tests.synapse.launcher", "--until-orphaned"]
        command += ["-c", str(server.write_configuration(ca_file, options)), "--dns", f"{dns[0]}:{dns[1]}"]
        for rule in connect:
            command += ["--connect", rule]
        if options.usage_report_every_s is not None:
            command += ["--usage-report-every", str(options.usage_report_every_s)]
        if options.leave_from is not None:
            command += ["--leave-from", options.leave_from]
        # A proxy of the machine we run on must not get between two servers on loopback.
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        with self.server.logs[0].open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, deadline_s: float = READY_S) -> None:
        """Wait until the client API answers and the new database is up to date.

        One of its background updates counts the members of rooms; a room made while that runs may be counted twice, and
        stays so.

        Raises:
            HomeserverError: the process ended or the time is over.
        """
        give_up_at = time.monotonic() + deadline_s
        with httpx.Client(trust_env=False, timeout=5.0) as client:
            while time.monotonic() < give_up_at:
                if self._process.poll() is not None:
                    raise HomeserverError(
                        f"{self.server.name} ended with {self._process.returncode}\n{self.log_tail()}"
                    )
                try:
                    answer = client.get(f"{self.server.plain_url}/_matrix/client/versions")
                    if answer.status_code == httpx.codes.OK and self.server.background_updates() == 0:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.1)
        raise HomeserverError(f"{self.server.name} was not ready after {deadline_s:.0f} s\n{self.log_tail()}")

    def stop(self) -> None:
        """Ask it to stop, and end its whole process group if it does not."""
        assert self._process.stdin is not None
        for request in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, request)
            try:
                self._process.wait(STOP_S)
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.stdin.close()

    def log_tail(self, lines: int = 40, width: int = 300) -> str:
        """The end of both logs, long lines cut."""
        parts = []
        for path in self.server.logs:
            if path.exists():
                tail = path.read_text("utf-8", "replace").splitlines()[-lines:]
                parts.append("\n".join([f"--- {path}", *(line[:width] for line in tail)]))
        return "\n".join(parts)


def _listener(place: Place, *, tls: bool) -> dict[str, Any]:
    return {
        "port": place[1],
        "bind_addresses": [place[0]],
        "type": "http",
        "tls": tls,
        "resources": [{"names": ["client", "federation"], "compress": False}],
    }


def _logging(file: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(name)s %(levelname)s %(request)s %(message)s"}},
        "filters": {"context": {"()": "synapse.logging.context.LoggingContextFilter", "request": ""}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(file),
                "formatter": "line",
                "filters": ["context"],
            }
        },
        "root": {"level": "INFO", "handlers": ["file"]},
    }


def _yaml(value: Any) -> str:
    """JSON is YAML."""
    return json.dumps(value, indent=1)


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").rstrip("=")
