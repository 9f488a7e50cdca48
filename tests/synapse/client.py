"""The client and admin API of a homeserver, as a test needs them: blocking, and loud when an answer is not 200.

It speaks to the homeserver's plain listener, so that nothing of the TLS under test is in the way, and serves as the
independent oracle: what the crawler found is held against what is read here.
"""

import hashlib
import hmac
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from tests.synapse.homeserver import Homeserver

ANSWER_S = 60.0


class ApiError(Exception):
    """An answer that is not 200."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(
            f"{response.request.method} {response.request.url}: {response.status_code} {response.text[:500]}"
        )
        self.status = response.status_code


class Client:
    """One user of one homeserver, or nobody."""

    def __init__(self, server: Homeserver) -> None:
        self.server = server
        self.user_id: str | None = None
        self._http = httpx.Client(base_url=server.plain_url, trust_env=False, timeout=ANSWER_S)

    @classmethod
    def register(cls, server: Homeserver, username: str, *, admin: bool = False) -> Self:
        """A new user, made through the shared-secret registration API."""
        client = cls(server)
        nonce = client.get("/_synapse/admin/v1/register")["nonce"]
        password = f"password of {username}"
        parts = (nonce, username, password, "admin" if admin else "notadmin")
        mac = hmac.new(server.shared_secret.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        made = client.post(
            "/_synapse/admin/v1/register",
            {"nonce": nonce, "username": username, "password": password, "admin": admin, "mac": mac},
        )
        client.user_id = made["user_id"]
        client._http.headers["Authorization"] = f"Bearer {made['access_token']}"
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self._http.get(path, params=query))

    def post(self, path: str, content: dict[str, Any]) -> Any:
        return self._answer(self._http.post(path, json=content))

    def put(self, path: str, content: dict[str, Any]) -> Any:
        return self._answer(self._http.put(path, json=content))

    def _answer(self, response: httpx.Response) -> Any:
        if response.status_code != httpx.codes.OK:
            raise ApiError(response)
        return response.json()

    def create_room(self, **content: Any) -> str:
        """Create a room; its ID."""
        room_id: str = self.post("/_matrix/client/v3/createRoom", content)["room_id"]
        return room_id

    def join(self, room: str, *, deadline_s: float = 60.0) -> str:
        """Join by ID or alias; its ID. Tried again until the deadline: the first contact of two servers may fail."""
        give_up_at = time.monotonic() + deadline_s
        while True:
            try:
                joined: str = self.post(f"/_matrix/client/v3/join/{quote(room, safe='')}", {})["room_id"]
            except ApiError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.5)
            else:
                return joined

    def send_state(self, room_id: str, event_type: str, state_key: str, content: dict[str, Any]) -> None:
        path = f"/_matrix/client/v3/rooms/{quote(room_id, safe='')}/state/{event_type}/{quote(state_key, safe='')}"
        self.put(path, content)

    def publish(self, room_id: str) -> None:
        """List a room in this homeserver's public directory."""
        self.put(f"/_matrix/client/v3/directory/list/room/{quote(room_id, safe='')}", {"visibility": "public"})

    def directory(self) -> dict[str, dict[str, Any]]:
        """This homeserver's public directory as its own clients see it: room ID to entry."""
        rooms: dict[str, dict[str, Any]] = {}
        query: dict[str, Any] = {"limit": 50}
        while True:
            page = self.get("/_matrix/client/v3/publicRooms", **query)
            rooms |= {room["room_id"]: room for room in page["chunk"]}
            if "next_batch" not in page:
                return rooms
            query["since"] = page["next_batch"]

    def all_rooms(self) -> dict[str, dict[str, Any]]:
        """Every room this homeserver knows, from the admin API: room ID to `joined_members`, `version` ..."""
        listed = self.get("/_synapse/admin/v1/rooms", limit=1000)
        return {room["room_id"]: room for room in listed["rooms"]}

    def room_servers(self, alias: str) -> list[str]:
        """The servers in a room, by its alias."""
        servers: list[str] = self.get(f"/_matrix/client/v3/directory/room/{quote(alias, safe='')}")["servers"]
        return servers
