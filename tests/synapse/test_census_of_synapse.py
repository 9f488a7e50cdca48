"""A census of two real homeservers, held against what their own APIs say of them."""

import hashlib
import importlib.metadata
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.synapse import command
from tests.synapse.client import Client
from tests.synapse.federation import Federation
from tests.synapse.population import HOSTILE_NAMES, SHARED
from tests.synapse.snapshot import PAGE_SIZE, Census, run, take_census

pytestmark = [pytest.mark.synapse, pytest.mark.slow]

NOINDEX = "(MRS-noindex:true-MRS)"


@pytest.fixture(scope="module")
def signed(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Census:
    return take_census(federation, tmp_path_factory.mktemp("signed"), signed=True)


@pytest.fixture(scope="module")
def unsigned(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Census:
    return take_census(federation, tmp_path_factory.mktemp("unsigned"), signed=False)


def clients(federation: Federation) -> Iterator[tuple[str, Client]]:
    yield "alpha.test", federation.people.alpha
    yield "beta.test", federation.people.beta


def expected_listing(client: Client, *, over_federation: bool) -> dict[str, dict[str, Any]]:
    """What a crawler may say that a homeserver lists, from the homeserver's own client and admin API."""
    rooms = client.all_rooms()
    return {
        room_id: {
            "room_id": room_id,
            "members": entry["num_joined_members"],
            "name": entry.get("name"),
            "topic": entry.get("topic"),
            "canonical_alias": entry.get("canonical_alias"),
            "join_rule": entry.get("join_rule"),
            "room_type": entry.get("room_type"),
            "world_readable": entry["world_readable"],
            "guest_can_join": entry["guest_can_join"],
        }
        for room_id, entry in client.directory().items()
        if NOINDEX not in entry.get("topic", "") and (rooms[room_id]["federatable"] or not over_federation)
    }


def expected_participation(federation: Federation, census: Census) -> set[tuple[str, str, str]]:
    """Who is in each listed room that has an alias, as the owner of the alias says."""
    owners = dict(clients(federation))
    aliased = {
        (room_id, row["canonical_alias"])
        for name in owners
        for room_id, row in census.listing(name).items()
        if row["canonical_alias"] is not None
    }
    return {
        (room_id, server, alias.partition(":")[2])
        for room_id, alias in aliased
        for server in owners[alias.partition(":")[2]].room_servers(alias)
    }


def over_tls(federation: Federation, seen: dict[str, Any], path: str) -> Any:
    """Ask the place that the crawler used."""
    trusted = ssl.create_default_context(cafile=str(federation.network.authority.file))
    with httpx.Client(verify=trusted, trust_env=False, timeout=30.0) as client:
        return client.get(
            f"https://{seen['address']}:{seen['port']}{path}",
            headers={"Host": seen["host_header"]},
            extensions={"sni_hostname": seen["tls_name"]},
        ).json()


class TestSigned:
    def test_is_a_census(self, federation: Federation, signed: Census) -> None:
        (crawl,) = signed.rows("SELECT * FROM crawl")
        assert (crawl["state"], crawl["scope"], crawl["synthetic"]) == ("completed", "full", False)
        assert crawl["identity"] == federation.identity.server_name
        assert signed.rows("SELECT crawl_id FROM census") == [{"crawl_id": crawl["crawl_id"]}]
        counted = {
            "servers": "SELECT count(*) AS n FROM server_observation",
            "online": "SELECT count(*) AS n FROM server_observation WHERE online",
            "rooms": "SELECT count(DISTINCT room_id) AS n FROM listing",
        }
        assert {key: crawl[key] for key in counted} == {key: signed.rows(q)[0]["n"] for key, q in counted.items()}
        settings = json.loads(crawl["settings"])
        assert settings["limits"]["directory_page_size"] == PAGE_SIZE
        assert settings["network"]["dns"] == str(federation.network.dns)

    def test_finds_both_and_only_them(self, signed: Census) -> None:
        found = signed.rows(
            """
            SELECT server_key, resolves, reachable, secure, online, federating, accepting, listing
            FROM server_observation JOIN server USING (server_id) WHERE federating ORDER BY server_key
            """
        )
        every = {"resolves", "reachable", "secure", "online", "federating", "accepting", "listing"}
        assert found == [{"server_key": name} | dict.fromkeys(every, True) for name in ("alpha.test", "beta.test")]

    def test_tells_who_named_whom(self, signed: Census) -> None:
        leads = signed.leads()
        assert ("alpha.test", "seed", None) in leads
        # Nothing in alpha's directory names beta but the answer to an alias of a room that beta's users are in ...
        assert {(source, teller) for server, source, teller in leads if server == "beta.test"} == {
            ("alias_servers", "alpha.test")
        }
        # ... and beta in turn lists a room of alpha's.
        assert {(source, teller) for server, source, teller in leads if server == "alpha.test"} >= {
            ("room_id", "beta.test"),
            ("alias", "beta.test"),
            ("alias_servers", "beta.test"),
        }

    def test_resolves_alpha_by_well_known(self, federation: Federation, signed: Census) -> None:
        seen, (address, port) = signed.observation("alpha.test"), federation.alpha.tls
        delegate = f"matrix.alpha.test:{port}"
        assert {key: seen[key] for key in ("branch", "delegated", "host_header", "tls_name", "address", "port")} == {
            "branch": "3.2",
            "delegated": delegate,
            "host_header": delegate,
            "tls_name": "matrix.alpha.test",
            "address": address,
            "port": port,
        }

    def test_resolves_beta_by_srv(self, federation: Federation, signed: Census) -> None:
        seen, (address, port) = signed.observation("beta.test"), federation.beta.tls
        assert {key: seen[key] for key in ("branch", "delegated", "host_header", "tls_name", "address", "port")} == {
            "branch": "4",
            "delegated": None,
            "host_header": "beta.test",
            "tls_name": "beta.test",
            "address": address,
            "port": port,
        }
        steps = signed.rows(
            """
            SELECT question, subject, answer, failed_kind FROM resolution_step JOIN server USING (server_id)
            WHERE server_key = 'beta.test' ORDER BY ordinal
            """
        )
        asked = [(step["question"], step["subject"], step["failed_kind"]) for step in steps]
        assert ("well_known", "beta.test", "http_not_found") in asked
        assert ("srv", "_matrix-fed._tcp.beta.test", None) in asked
        assert ("addresses", "host.beta.test", None) in asked
        assert all(step["answer"] for step in steps if step["failed_kind"] is None)

    @pytest.mark.parametrize("name", ["alpha.test", "beta.test"])
    def test_says_of_each_what_it_says_of_itself(self, federation: Federation, signed: Census, name: str) -> None:
        client, seen = dict(clients(federation))[name], signed.observation(name)

        version = client.get("/_matrix/federation/v1/version")["server"]
        assert (seen["software_raw"], seen["version_raw"]) == (version["name"], version["version"])
        installed = importlib.metadata.version("matrix-synapse")
        assert (seen["software"], seen["version"]) == ("synapse", installed)

        # Each of Synapse's listeners signs a document of its own: this is the one that the crawler got.
        keys = over_tls(federation, seen, "/_matrix/key/v2/server")
        assert json.loads(seen["verify_keys"]) == {key_id: key["key"] for key_id, key in keys["verify_keys"].items()}
        assert seen["keys_valid_until"] == datetime.fromtimestamp(keys["valid_until_ts"] / 1000, UTC)

        versions = client.get("/_matrix/client/versions")
        assert json.loads(seen["spec_versions"]) == versions["versions"]
        assert json.loads(seen["unstable_features"]) == versions["unstable_features"]

        certificate = x509.load_pem_x509_certificate(client.server.certificate.chain.read_bytes())
        assert seen["tls_fingerprint"] == hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        assert seen["tls_not_after"] == certificate.not_valid_after_utc
        assert seen["tls_issuer"] == "Matrix Census test authority"
        assert seen["tls_protocol"] == "TLSv1.3"

    @pytest.mark.parametrize("name", ["alpha.test", "beta.test"])
    def test_attempts_all_went_well(self, signed: Census, name: str) -> None:
        attempts = signed.rows(
            "SELECT what, outcome, detail FROM attempt JOIN server USING (server_id) WHERE server_key = ?", name
        )
        assert {row["what"] for row in attempts} >= {"tcp", "tls", "version", "keys", "client_versions", "directory"}
        assert [row for row in attempts if row["outcome"] != "ok"] == []

    @pytest.mark.parametrize("name", ["alpha.test", "beta.test"])
    def test_lists_what_each_lists_for_others(self, federation: Federation, signed: Census, name: str) -> None:
        assert signed.listing(name) == expected_listing(dict(clients(federation))[name], over_federation=True)

    def test_reads_directories_whole(self, federation: Federation, signed: Census) -> None:
        for name, client in clients(federation):
            seen, rooms = signed.observation(name), client.all_rooms()
            offered = [room_id for room_id in client.directory() if rooms[room_id]["federatable"]]
            assert (seen["directory_state"], seen["directory_way"]) == ("open", "federation")
            assert seen["directory_stopped"] == "complete"
            assert seen["directory_pages"] == -(-len(offered) // PAGE_SIZE)
            assert seen["directory_rooms"] == len(signed.listing(name))
            assert seen["directory_noindex"] == len(offered) - len(signed.listing(name))
        assert signed.observation("alpha.test")["directory_noindex"] == 1
        assert signed.observation("beta.test")["directory_noindex"] == 0

    def test_keeps_rooms_of_every_kind_apart(self, federation: Federation, signed: Census) -> None:
        rooms, listed = federation.people.rooms, signed.listing("alpha.test")
        assert {listed[rooms[key]]["name"] for key in rooms if key.startswith("hostile_")} == set(HOSTILE_NAMES)
        assert listed[rooms["space"]]["room_type"] == "m.space"
        assert listed[rooms["lobby"]]["room_type"] is None
        assert listed[rooms["knock"]]["join_rule"] == "knock"
        assert listed[rooms["readable"]]["world_readable"] is True
        assert listed[rooms["no_alias"]]["canonical_alias"] is None
        # A room ID of version 12 is a hash and names no server; those before it do.
        assert rooms["modern"] in listed
        assert len(rooms["modern"]) == 44
        assert ":" not in rooms["modern"]
        assert rooms["lobby"].endswith(":alpha.test")
        everywhere = {row["room_id"] for row in signed.rows("SELECT room_id FROM listing")}
        hidden = ("unfederated", "beta_unfederated", "private", "behind_space", "opted_out")
        assert not {rooms[key] for key in hidden} & everywhere

    def test_finds_the_room_that_only_a_space_leads_to(self, federation: Federation, signed: Census) -> None:
        rooms = federation.people.rooms
        (told,) = signed.rows(
            "SELECT server_key, found_by, name, members, room_type FROM unlisted_room JOIN server USING (server_id)"
            " WHERE room_id = ?",
            rooms["behind_space"],
        )
        assert told == {
            "server_key": "alpha.test",
            "found_by": "space",
            "name": "Behind the space",
            "members": 1,
            "room_type": None,
        }
        children = signed.rows("SELECT child_id FROM space_child WHERE space_id = ?", rooms["space"])
        assert {row["child_id"] for row in children} == {rooms[key] for key in ("lobby", "modern", "behind_space")}

    def test_is_refused_nothing_by_the_limits_that_synapse_ships(self, federation: Federation, signed: Census) -> None:
        for server in (federation.alpha, federation.beta):
            assert "rc_federation" not in (server.directory / "homeserver.yaml").read_text()
        assert signed.rows("SELECT * FROM attempt WHERE http_status = 429") == []
        (crawl,) = signed.rows("SELECT report FROM census")
        report = json.loads(crawl["report"])
        assert report["traffic"]["rate_limited"] == 0
        assert report["aliases_outstanding"] == 0
        assert report["spaces"]["outstanding"] == 0

    def test_knows_a_room_in_two_directories_as_one(self, federation: Federation, signed: Census) -> None:
        (lobby,) = signed.rows("SELECT * FROM room WHERE room_id = ?", federation.people.rooms["lobby"])
        assert lobby["directories"] == 2
        assert lobby["members"] == lobby["members_min"] == lobby["members_max"] == SHARED["lobby"]

    def test_knows_which_servers_are_in_which_room(self, federation: Federation, signed: Census) -> None:
        found, rooms = signed.participation(), federation.people.rooms
        assert found == expected_participation(federation, signed)
        for key, teller in (("lobby", "alpha.test"), ("modern", "alpha.test"), ("harbour", "beta.test")):
            assert {(rooms[key], name, teller) for name in ("alpha.test", "beta.test")} <= found
        for name in ("alpha.test", "beta.test"):
            assert signed.observation(name)["aliases_outstanding"] == 0

    @pytest.mark.usefixtures("signed")
    def test_says_who_is_asking(self, federation: Federation) -> None:
        for web, name in ((federation.alpha_web, "alpha.test"), (federation.beta_web, "beta.test")):
            ours = [seen for seen in web.seen if "matrix-census/" in seen.user_agent]
            ours = [seen for seen in ours if command.CONTACT in seen.user_agent]
            assert {"/.well-known/matrix/server", "/.well-known/matrix/client"} <= {seen.target for seen in ours}
            assert {(seen.host, seen.sni) for seen in ours} == {(name, name)}


class TestUnsigned:
    """Without an identity the federation's door is shut; the client API's is open at alpha and shut at beta."""

    def test_says_that_it_is(self, unsigned: Census) -> None:
        (crawl,) = unsigned.rows("SELECT state, identity FROM crawl")
        assert crawl == {"state": "completed", "identity": None}
        assert "identity" in unsigned.printed

    def test_reads_alpha_through_the_client_api(self, federation: Federation, unsigned: Census) -> None:
        seen = unsigned.observation("alpha.test")
        assert (seen["federating"], seen["accepting"], seen["listing"]) == (True, None, True)
        assert (seen["directory_state"], seen["directory_way"]) == ("open", "client")
        expected = expected_listing(federation.people.alpha, over_federation=False)
        assert federation.people.rooms["unfederated"] in expected
        assert unsigned.listing("alpha.test") == expected

    def test_is_refused_by_beta(self, unsigned: Census) -> None:
        seen = unsigned.observation("beta.test")
        assert (seen["federating"], seen["accepting"], seen["listing"]) == (True, None, False)
        assert (seen["directory_state"], seen["directory_rooms"]) == ("auth_failed", None)
        assert unsigned.listing("beta.test") == {}
        (attempt,) = unsigned.rows(
            """
            SELECT outcome, failed_kind, http_status, errcode FROM attempt JOIN server USING (server_id)
            WHERE server_key = 'beta.test' AND what = 'directory'
            """
        )
        assert attempt == {
            "outcome": "failed",
            "failed_kind": "http_unauthorized",
            "http_status": 401,
            "errcode": "M_MISSING_TOKEN",
        }


class TestFromThatFile:
    """The other verbs, from the published file or against the same servers."""

    def test_status(self, signed: Census) -> None:
        (crawl,) = signed.rows("SELECT crawl_id, servers, online, rooms FROM crawl")
        (told,) = self._json([str(command.COMMAND), "status", "--db", str(signed.db), "--json"])
        assert {key: told[key] for key in ("id", "state", "scope", "synthetic", "servers", "online", "rooms")} == {
            "id": crawl["crawl_id"],
            "state": "completed",
            "scope": "full",
            "synthetic": False,
            "servers": crawl["servers"],
            "online": crawl["online"],
            "rooms": crawl["rooms"],
        }
        assert datetime.fromisoformat(told["started_at"]) <= datetime.fromisoformat(told["finished_at"])

    def test_metrics(self, federation: Federation, signed: Census) -> None:
        rows = self._json([str(command.COMMAND), "metrics", "--db", str(signed.db), "--json"])
        value = {(row["metric"], row["dimension"]): row["value"] for row in rows}
        for predicate in ("federating", "accepting", "listing"):
            assert value["servers", predicate] == 2
        listed = expected_listing(federation.people.alpha, over_federation=True)
        listed |= expected_listing(federation.people.beta, over_federation=True)
        spaces = {room_id for room_id, room in listed.items() if room["room_type"] == "m.space"}
        assert value["rooms", "room"] == len(listed) - len(spaces)
        assert value["rooms", "space"] == len(spaces) == 1
        members = sum(room["members"] for room_id, room in listed.items() if room_id not in spaces)
        assert value["memberships", "all"] == members
        assert value["largest_room_members", federation.people.rooms["lobby"]] == SHARED["lobby"]
        assert value["servers_by_software", "synapse"] == 2
        assert {row["synthetic"] for row in rows} == {False}

    @pytest.mark.parametrize("name", ["alpha.test", "beta.test"])
    def test_check(self, federation: Federation, signed: Census, name: str) -> None:
        told = self._json(command.check(federation.network, name, "--json"))
        seen = signed.observation(name)
        assert told["server_name"] == name
        assert told["federates"] is True
        assert told["resolution"]["endpoints"] == [
            {key: seen[key] for key in ("address", "port", "host_header", "tls_name")} | {"via": seen["branch"]}
        ]
        assert told["resolution"]["steps"]
        assert told["version"]["value"] == {"name": seen["software_raw"], "version": seen["version_raw"]}
        assert told["keys"]["value"]["verify_keys"] == json.loads(seen["verify_keys"])
        # Asked unsigned: alpha's directory is open to clients, beta's is not.
        assert told["directory"]["state"] == {"alpha.test": "open", "beta.test": "auth_failed"}[name]
        assert [failure["kind"] for failure in told["failures"]] == (
            [] if name == "alpha.test" else ["http_unauthorized"]
        )
        assert told["took_s"] > 0

    def _json(self, arguments: list[str]) -> Any:
        ran = run(arguments)
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        return json.loads(ran.stdout)
