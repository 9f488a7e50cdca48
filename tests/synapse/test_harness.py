"""The harness itself: the homeservers are real, federate, are found the way they say, and take a signed request."""

import socket
import ssl
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import httpx
import pytest

from tests.synapse import launcher
from tests.synapse.certificates import Authority
from tests.synapse.client import Client
from tests.synapse.dns_server import DnsServer
from tests.synapse.federation import Federation, json_reply
from tests.synapse.front import Front
from tests.synapse.population import SHARED
from tests.synapse.probe import open_probe

pytestmark = pytest.mark.synapse


def test_each_joined_the_others_room(federation: Federation) -> None:
    people = federation.people
    alpha, beta = people.alpha.all_rooms(), people.beta.all_rooms()
    for key, local_of_alpha in (("lobby", 2), ("modern", 1), ("harbour", 1)):
        room_id = people.rooms[key]
        assert alpha[room_id]["joined_members"] == beta[room_id]["joined_members"] == SHARED[key]
        assert alpha[room_id]["joined_local_members"] == local_of_alpha
    assert ":" not in people.rooms["modern"]
    assert alpha[people.rooms["modern"]]["version"] == "12"
    for alias in ("#lobby:alpha.test", "#modern:alpha.test", "#harbour:beta.test"):
        assert set(people.alpha.room_servers(alias)) == {"alpha.test", "beta.test"}


def test_each_was_found_as_it_says(federation: Federation) -> None:
    """beta came to alpha through `.well-known`, alpha to beta through SRV after its web server said 404."""
    for web, name in ((federation.alpha_web, "alpha.test"), (federation.beta_web, "beta.test")):
        asked = [seen for seen in web.seen if seen.target == "/.well-known/matrix/server"]
        assert any("Synapse/" in seen.user_agent and seen.host == seen.sni == name for seen in asked)
        if federation.network.on_443:
            assert all(seen.at[1] == 443 for seen in asked if "Synapse/" in seen.user_agent)
    asked_names = set(federation.network.dns.queries)
    assert ("_matrix-fed._tcp.beta.test", "SRV") in asked_names
    assert ("host.beta.test", "A") in asked_names
    assert ("matrix.alpha.test", "A") in asked_names
    assert not [name for name, kind in asked_names if kind == "SRV" and "alpha" in name]


def test_a_signed_request_of_an_unknown_name_is_answered(federation: Federation) -> None:
    """Signed by the reference library, not by ours: what our own signing is measured against."""
    uri = "/_matrix/federation/v1/publicRooms?limit=100&include_all_networks=false"
    with open_probe(federation.network, "probe.test", 30) as probe:
        response = probe.get(federation.alpha.tls, "matrix.alpha.test", "alpha.test", uri)
        assert response.status_code == httpx.codes.OK, response.text
        assert [(seen.target, seen.host) for seen in probe.front.seen] == [("/_matrix/key/v2/server", probe.name)]

    rooms = federation.people.rooms
    listed = {room["room_id"] for room in response.json()["chunk"]}
    assert {rooms["lobby"], rooms["modern"], rooms["space"], rooms["readable"], rooms["knock"]} <= listed
    assert not {rooms["unfederated"], rooms["private"], rooms["behind_space"]} & listed
    # ... of which the server's own clients do see the one that is not for other servers.
    assert rooms["unfederated"] in federation.people.alpha.directory()


def test_without_a_token_only_alpha_lists(federation: Federation) -> None:
    answers = {}
    for server in (federation.alpha, federation.beta):
        with Client(server) as nobody:
            answers[server.name] = httpx.get(
                f"{nobody.server.plain_url}/_matrix/client/v3/publicRooms", trust_env=False
            )
    assert answers["alpha.test"].status_code == httpx.codes.OK
    assert answers["beta.test"].status_code == httpx.codes.UNAUTHORIZED
    assert answers["beta.test"].json()["errcode"] == "M_MISSING_TOKEN"


class TestDnsServer:
    @pytest.mark.parametrize(
        ("name", "kind", "rcode", "answers"),
        [
            ("a.test", "A", "NOERROR", ["127.1.2.3", "127.1.2.4"]),
            ("a.test", "AAAA", "NOERROR", []),
            ("_tcp.a.test", "SRV", "NOERROR", []),
            ("_m._tcp.a.test", "SRV", "NOERROR", ["1 2 3 x.test."]),
            ("www.test", "A", "NOERROR", ["a.test.", "127.1.2.3", "127.1.2.4"]),
            ("b.test", "A", "NXDOMAIN", []),
            ("broken.test", "A", "SERVFAIL", []),
        ],
    )
    def test_answers(self, name: str, kind: str, rcode: str, answers: list[str]) -> None:
        with DnsServer() as server:
            server.put("a.test", "A", "127.1.2.3", "127.1.2.4")
            server.put("_m._tcp.a.test", "SRV", "1 2 3 x.test.")
            server.put("www.test", "CNAME", "a.test.")
            server.fail("broken.test", "SERVFAIL")
            query = dns.message.make_query(name, kind)
            answer = dns.query.udp(query, server.address[0], port=server.address[1], timeout=5)
            assert server.queries == [(name, kind)]
        assert dns.rcode.to_text(answer.rcode()) == rcode
        # dnspython shuffles the records of a set as it writes them out.
        assert sorted(record.to_text() for rrset in answer.answer for record in rrset) == sorted(answers)

    def test_silence_and_garbage(self) -> None:
        with DnsServer() as server:
            server.fail("quiet.test")
            server.put("a.test", "A", "127.1.2.3")
            query = dns.message.make_query("quiet.test", "A").to_wire()
            assert server.answer(query) is None
            assert server.answer(b"\0" * 5) is None
            assert server.answer(dns.message.make_query("a.test", "A").to_wire()) is not None


class TestLauncher:
    """The parts of the launcher that can be looked at without a homeserver; with one, every other test does."""

    @pytest.mark.parametrize("host", [None, "", "localhost", b"localhost", "127.0.0.1", b"127.0.0.1", "::1"])
    def test_local(self, host: str | bytes | None) -> None:
        assert launcher.is_local(host)

    @pytest.mark.parametrize("host", ["alpha.test", b"alpha.test", "1.2.3", "localhost.test"])
    def test_not_local(self, host: str | bytes) -> None:
        assert not launcher.is_local(host)

    def test_names_come_from_the_given_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
        with DnsServer() as server:
            server.put("alpha.test", "A", "127.1.2.3")
            server.put("alpha.test", "AAAA", "::1")
            server.fail("broken.test", "SERVFAIL")
            launcher.resolve_by(server.address)

            def ask(host: str | bytes, family: int = 0) -> list[str | int]:
                return [found[4][0] for found in socket.getaddrinfo(host, 80, family, socket.SOCK_STREAM)]

            assert ask("alpha.test") == ["::1", "127.1.2.3"]
            assert ask(b"alpha.test", socket.AF_INET) == ["127.1.2.3"]
            assert ask("127.0.0.1") == ["127.0.0.1"]
            for name, errno in (("other.test", socket.EAI_NONAME), ("broken.test", socket.EAI_AGAIN)):
                with pytest.raises(socket.gaierror) as caught:
                    ask(name)
                assert caught.value.errno == errno

    def test_dials_are_redirected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket.socket, "connect_ex", socket.socket.connect_ex)
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as dialling:
            place = listening.getsockname()
            launcher.redirect_dials([launcher.connect_rule(f"127.1.2.3:443=127.0.0.1:{place[1]}")])
            assert dialling.connect_ex(("127.1.2.3", 443)) == 0
            assert dialling.getpeername() == place

    @pytest.mark.parametrize(
        ("rule", "dialled", "instead"),
        [
            ("127.1.2.3:443=127.0.0.1:8443", ("127.1.2.3", 443), ("127.0.0.1", 8443)),
            ("127.1.2.3:443=127.0.0.1:8443", ("127.1.2.4", 443), ("127.1.2.4", 443)),
            ("127.1.2.3:443=127.0.0.1:8443", ("127.1.2.3", 8448), ("127.1.2.3", 8448)),
            ("*:443=*:8443", ("127.1.2.3", 443), ("127.1.2.3", 8443)),
            ("*:*=127.0.0.1:*", ("127.1.2.3", 443), ("127.0.0.1", 443)),
        ],
    )
    def test_rules(self, rule: str, dialled: tuple[str, int], instead: tuple[str, int]) -> None:
        assert launcher.redirected(dialled, [launcher.connect_rule(rule)]) == instead


def test_a_front_answers_by_path_and_remembers(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("front", ["front.test", "127.0.0.1"])
    with (
        Front([("127.0.0.1", 0)], certificate, routes={"/own": json_reply({"b": 2})}) as front,
        httpx.Client(verify=ssl.create_default_context(cafile=str(authority.file)), trust_env=False) as client,
    ):
        port = front.places[0][1]
        by_address = client.get(f"https://127.0.0.1:{port}/own?x=1")
        by_name = client.get(
            f"https://127.0.0.1:{port}/else",
            headers={"Host": "front.test"},
            extensions={"sni_hostname": "front.test"},
        )
        assert by_address.json() == {"b": 2}
        assert by_name.status_code == httpx.codes.NOT_FOUND
        seen = [(each.sni, each.host, each.target) for each in front.seen]
        # httpx reuses a connection for another TLS name: what was seen is the name of the connection.
        assert seen == [(None, f"127.0.0.1:{port}", "/own?x=1"), (None, "front.test", "/else")]
