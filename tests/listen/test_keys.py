"""Our face in the federation, judged by the parsers of a peer and by signedjson."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import signedjson.key
import signedjson.sign

from crawler.listen.keys import key_document_handler, support_document
from crawler.listen.message import Handler, Request
from crawler.model.names import parse_server_name
from crawler.protocol.federation import parse_key_document, parse_version
from crawler.protocol.signing import Identity, SigningKey

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = SigningKey("ed25519:a_1", bytes(range(32)))


def identity(name: str = "census.example") -> Identity:
    return Identity(parse_server_name(name), KEY)


async def ask(handler: Handler, path: str, method: str = "GET") -> tuple[int, Any]:
    response = await handler(Request(method, path, ()))
    assert response is not None
    return response.status, json.loads(response.body)


async def test_a_peer_believes_the_key_document() -> None:
    handler = key_document_handler(identity(), lambda: NOW)
    status, document = await ask(handler, "/_matrix/key/v2/server")
    assert status == 200
    parsed = parse_key_document(json.dumps(document).encode(), parse_server_name("census.example"), NOW)
    assert parsed.verify_keys == {"ed25519:a_1": KEY.public_key_base64}
    assert parsed.valid_until == NOW + timedelta(hours=24)
    signedjson.sign.verify_signed_json(
        document,
        "census.example",
        signedjson.key.decode_verify_key_base64("ed25519", "a_1", KEY.public_key_base64),
    )


async def test_it_is_signed_again_when_half_of_its_validity_is_over() -> None:
    clock = [NOW]
    handler = key_document_handler(identity(), lambda: clock[0])
    seen: list[int] = []
    for hours in (0, 11.9, 12.1, 24.2):
        clock[0] = NOW + timedelta(hours=hours)
        _, document = await ask(handler, "/_matrix/key/v2/server")
        seen.append(document["valid_until_ts"])
        left_s = document["valid_until_ts"] / 1000 - clock[0].timestamp()
        assert left_s > 12 * 3600
    assert seen[0] == seen[1] < seen[2] < seen[3]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("census.example", "census.example:443"), ("census.example:8448", "census.example:443"), ("[::1]:1", "[::1]:443")],
)
async def test_well_known_names_the_port_it_was_asked_on(name: str, expected: str) -> None:
    handler = key_document_handler(identity(name), lambda: NOW)
    assert await ask(handler, "/.well-known/matrix/server") == (200, {"m.server": expected})


async def test_a_delegate_is_said() -> None:
    handler = key_document_handler(identity(), lambda: NOW, delegate="other.example:8448")
    assert await ask(handler, "/.well-known/matrix/server") == (200, {"m.server": "other.example:8448"})


async def test_we_say_what_we_are() -> None:
    handler = key_document_handler(identity(), lambda: NOW, version="1.2.3")
    response = await handler(Request("GET", "/_matrix/federation/v1/version", ()))
    assert response is not None
    said = parse_version(response.body)
    assert (said.name, said.version) == ("Matrix Census", "1.2.3")


@pytest.mark.parametrize(
    ("contact", "document"),
    [
        ("@a:b.example", {"contacts": [{"role": "m.role.admin", "matrix_id": "@a:b.example"}]}),
        ("a@b.example", {"contacts": [{"role": "m.role.admin", "email_address": "a@b.example"}]}),
        ("https://b.example/census", {"support_page": "https://b.example/census"}),
        ("somebody", None),
        ("", None),
    ],
)
async def test_whom_to_write_to(contact: str, document: dict[str, object] | None) -> None:
    assert support_document(contact) == document
    status, body = await ask(
        key_document_handler(identity(), lambda: NOW, contact=contact), "/.well-known/matrix/support"
    )
    assert (status, body) == ((404, body) if document is None else (200, document))


@pytest.mark.parametrize("path", ["/", "/_matrix/federation/v1/send/1", "/_matrix/client/versions", "/robots.txt/x"])
async def test_the_rest_is_not_recognised(path: str) -> None:
    status, body = await ask(key_document_handler(identity(), lambda: NOW), path)
    assert (status, body["errcode"]) == (404, "M_UNRECOGNIZED")


async def test_writing_is_the_wrong_method() -> None:
    status, body = await ask(key_document_handler(identity(), lambda: NOW), "/_matrix/key/v2/server", "POST")
    assert (status, body["errcode"]) == (405, "M_UNRECOGNIZED")
