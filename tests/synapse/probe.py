"""A peer made of the reference signing library: what our own signing is measured against."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import signedjson.key
import signedjson.sign

from tests.synapse.federation import Network, json_reply
from tests.synapse.front import Front, Place

KEYS = "/_matrix/key/v2/server"


@dataclass(frozen=True, slots=True)
class Probe:
    """A server name with a key document and nothing else. `front.seen` says who fetched it."""

    network: Network
    name: str
    key: Any
    front: Front

    def get(self, at: Place, delegate: str, destination: str, uri: str) -> httpx.Response:
        """GET `uri` of `destination`, signed (server-server API, "Request Authentication").

        Args:
            at: where to connect to.
            delegate: the host that the certificate is for; with the port it is the Host header.
            destination: the server name that the request is for.
            uri: path and query, sent and signed byte for byte.
        """
        request = {"method": "GET", "uri": uri, "origin": self.name, "destination": destination}
        key_id = f"{self.key.alg}:{self.key.version}"
        signature = signedjson.sign.sign_json(request, self.name, self.key)["signatures"][self.name][key_id]
        header = f'X-Matrix origin="{self.name}",destination="{destination}",key="{key_id}",sig="{signature}"'
        trusted = ssl.create_default_context(cafile=str(self.network.authority.file))
        with httpx.Client(verify=trusted, trust_env=False, timeout=30.0) as client:
            return client.get(
                f"https://{at[0]}:{at[1]}{uri}",
                headers={"Authorization": header, "Host": f"{delegate}:{at[1]}"},
                extensions={"sni_hostname": delegate},
            )


@contextlib.contextmanager
def open_probe(network: Network, domain: str, host: int) -> Iterator[Probe]:
    """Publish a fresh key under `domain`, at one of the network's addresses. The key ID is never used again."""
    key = signedjson.key.generate_signing_key(f"p{time.time_ns()}")
    address = network.address(host)
    network.dns.put(domain, "A", address)
    with Front([(address, 0)], network.authority.issue(f"web-{domain}", [domain])) as front:
        name = f"{domain}:{front.places[0][1]}"
        verify_key = signedjson.key.encode_verify_key_base64(signedjson.key.get_verify_key(key))
        document = {
            "server_name": name,
            "valid_until_ts": int((time.time() + 3600) * 1000),
            "verify_keys": {f"{key.alg}:{key.version}": {"key": verify_key}},
            "old_verify_keys": {},
        }
        front.routes[KEYS] = json_reply(signedjson.sign.sign_json(document, name, key))
        yield Probe(network, name, key, front)
