"""Our own face in the federation: what peers ask of us before they believe a signature of ours.

A crawler that signs its requests needs no homeserver, only this: a key document under its server name
(server-server API, "Retrieving server keys"), because the receiver of a signed request calls back for it. Beside it we
say honestly what we are (version), where we are (.well-known/matrix/server), whom to write to
(.well-known/matrix/support, MSC1929) and that nobody need index us.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from crawler.listen.message import (
    TEXT,
    UNRECOGNIZED,
    WRONG_METHOD,
    Handler,
    Request,
    Response,
    json_response,
)
from crawler.protocol.signing import Identity, build_key_document
from crawler.version import VERSION

VALID_FOR_S = 24 * 3600
"""As long as Synapse's default; receivers cap it at 7 days and may use it for half of it."""

SOFTWARE_NAME = "Matrix Census"


def support_document(contact: str) -> dict[str, object] | None:
    """The body of .well-known/matrix/support (client-server API, "Server support discovery"); None without a contact
    that can stand in it."""
    if contact.startswith(("https://", "http://")):
        return {"support_page": contact}
    if contact.startswith("@") and ":" in contact:
        return {"contacts": [{"role": "m.role.admin", "matrix_id": contact}]}
    if "@" in contact:
        return {"contacts": [{"role": "m.role.admin", "email_address": contact}]}
    return None


def key_document_handler(
    identity: Identity,
    now: Callable[[], datetime],
    *,
    contact: str = "",
    version: str = VERSION,
    delegate: str | None = None,
) -> Handler:
    """The handler for `listen.http.serve`.

    Args:
        identity: whose key document it is.
        now: the clock; the document is signed again when half of its validity is over, so that no peer is ever handed
            one about to expire.
        contact: an e-mail address, Matrix ID or URL for .well-known/matrix/support; without it that path is a 404,
            which means "none".
        version: version of this program.
        delegate: `m.server` of .well-known/matrix/server; None: our own host at port 443, because a peer that reads
            it has just reached us there. A server name with a port is never asked for it.
    """
    keys = _KeyDocument(identity, now)
    host = identity.server_name.host_for_url
    support = support_document(contact)
    fixed: dict[str, Response] = {
        "/_matrix/federation/v1/version": json_response(200, {"server": {"name": SOFTWARE_NAME, "version": version}}),
        "/.well-known/matrix/server": json_response(200, {"m.server": delegate or f"{host}:443"}),
        "/robots.txt": Response(200, b"User-agent: *\nDisallow: /\n", TEXT),
    }
    if support is not None:
        fixed["/.well-known/matrix/support"] = json_response(200, support, ((b"access-control-allow-origin", b"*"),))

    async def handle(request: Request) -> Response:
        path = request.path
        response = keys.response() if path == "/_matrix/key/v2/server" else fixed.get(path)
        if response is None:
            return UNRECOGNIZED
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        return response

    return handle


class _KeyDocument:
    """The signed document, made anew when half of its validity is over."""

    def __init__(self, identity: Identity, now: Callable[[], datetime]) -> None:
        self._identity = identity
        self._now = now
        self._renew_at: datetime | None = None
        self._response = Response(200)

    def response(self) -> Response:
        now = self._now()
        if self._renew_at is None or now >= self._renew_at:
            document = build_key_document(self._identity, now, VALID_FOR_S)
            self._response = json_response(200, document)
            self._renew_at = now + timedelta(seconds=VALID_FOR_S / 2)
        return self._response
