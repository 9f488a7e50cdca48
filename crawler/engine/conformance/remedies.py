"""What to do about each kind of failure: one sentence, with the server's own names and ports in it.

Every kind has one; mypy holds the table whole, and a test that each says something of its own.
"""

from dataclasses import dataclass
from typing import assert_never

from crawler.errors import Failure, FailureKind
from crawler.model.names import ServerName
from crawler.model.observation import ServerObservation
from crawler.protocol.addresses import is_ip_literal


@dataclass(frozen=True, slots=True)
class Place:
    """Where something failed: `asked` is the host or URL that was asked for, `tls_name` what its certificate must
    carry, `at` the address and port in words, empty where it did not come to a connection."""

    server_name: ServerName
    asked: str
    tls_name: str
    at: str = ""

    @property
    def where(self) -> str:
        return f"{self.asked} ({self.at})" if self.at else self.asked


def place_of(seen: ServerObservation) -> Place:
    """Where the federation attempts of a visit went."""
    name, endpoint = seen.server_name, seen.endpoint
    if endpoint is None:
        failed = next((step for step in reversed(seen.resolution.steps) if step.failure is not None), None)
        host = (seen.resolution.delegated or name).host
        return Place(name, failed.subject if failed else host, host)
    return Place(name, endpoint.host_header, endpoint.tls_name, f"{endpoint.address} port {endpoint.port}")


def remedy(failure: Failure, place: Place) -> str:
    """The one sentence for a failure at a place."""
    told = f" ({failure.detail})" if failure.detail else ""
    sentence = _sentence(failure.kind, place, told)
    return sentence if sentence.endswith(".") else f"{sentence}."


def _sentence(kind: FailureKind, place: Place, told: str) -> str:
    where, asked, tls_name, name = place.where, place.asked, place.tls_name, place.server_name.raw
    match kind:
        case FailureKind.NAME_INVALID:
            return f"Use a server name by the grammar, a host name with an optional port; {asked} is none{told}"
        case FailureKind.DNS_NXDOMAIN:
            return f"Publish A or AAAA records for {asked}, which does not exist in DNS, or correct what points to it"
        case FailureKind.DNS_NODATA:
            return f"Add A or AAAA records to {asked}, which exists in DNS but has no address"
        case FailureKind.DNS_SERVFAIL:
            return (
                f"Mend the DNS zone of {asked}: its name servers fail to answer; often DNSSEC is broken or one is down"
            )
        case FailureKind.DNS_REFUSED:
            return f"Let the name servers of {asked} answer for it: they refuse; often the zone was never set up there"
        case FailureKind.DNS_NOT_IMPLEMENTED:
            return f"Update the name servers of {asked}: they do not know the question for its records"
        case FailureKind.DNS_TIMEOUT:
            return f"See that the name servers of {asked} answer, over UDP and TCP port 53: none did in time"
        case FailureKind.DNS_MALFORMED:
            return f"Mend the name servers of {asked}: what they answer is no answer to the question{told}"
        case FailureKind.DNS_SRV_UNAVAILABLE:
            return (
                f"Remove the SRV record {asked}, or point it at a host and a port: its target says that there is no "
                "such service"
            )
        case FailureKind.WELL_KNOWN_NOT_JSON:
            return (
                f"Let https://{asked}/.well-known/matrix/server answer with the JSON "
                f'{{"m.server": "HOST:PORT"}} or with status 404: it answers with something else, such as a web page'
            )
        case FailureKind.WELL_KNOWN_NO_SERVER:
            return f'Put a text "m.server" with HOST:PORT into https://{asked}/.well-known/matrix/server{told}'
        case FailureKind.WELL_KNOWN_BAD_SERVER:
            return (
                f"Write m.server in https://{asked}/.well-known/matrix/server as HOST:PORT, without https:// and "
                f"without a path{told}"
            )
        case FailureKind.WELL_KNOWN_REDIRECTS:
            return f"Let https://{asked}/.well-known/matrix/server answer itself, or redirect once to https{told}"
        case FailureKind.TCP_REFUSED:
            return f"Start what should listen at {where}, or correct the port: the connection is refused"
        case FailureKind.TCP_TIMEOUT:
            return f"Open the firewall, or the port forwarding, to {where}: nothing answers a connection there"
        case FailureKind.TCP_UNREACHABLE:
            return f"Correct the address of {where}: no route leads to it"
        case FailureKind.TCP_RESET:
            return f"See what resets connections to {where}: often a firewall, or a proxy without a backend"
        case FailureKind.TCP_OTHER:
            return f"See why no connection to {where} is possible{told}"
        case FailureKind.TLS_EXPIRED:
            return f"Renew the certificate of {tls_name} at {where} and reload the server that uses it: it has expired"
        case FailureKind.TLS_NOT_YET_VALID:
            return f"Correct the clock or the certificate of {tls_name} at {where}: it is not valid yet"
        case FailureKind.TLS_WRONG_NAME:
            return f"Present a certificate at {where} that names {tls_name}: the one there is for another name"
        case FailureKind.TLS_SELF_SIGNED:
            return (
                f"Replace the self-signed certificate of {tls_name} at {where} by one of a public authority, "
                "such as Let's Encrypt"
            )
        case FailureKind.TLS_UNTRUSTED:
            return (
                f"Present the whole chain of {tls_name} at {where}, its intermediate certificates too (fullchain.pem), "
                "of a public authority: the chain leads to none"
            )
        case FailureKind.TLS_VERIFY:
            return f"Replace the certificate of {tls_name} at {where}, which does not verify{told}"
        case FailureKind.TLS_HANDSHAKE:
            return (
                f"Let {where} speak TLS 1.2 or 1.3 for the name {tls_name}: the handshake fails before a certificate "
                f"is shown{told}"
            )
        case FailureKind.TLS_TIMEOUT:
            return f"See what holds up TLS at {where}: it takes connections but does not finish the handshake"
        case FailureKind.HTTP_STATUS:
            return f"See why {where} answers with a status that means neither yes nor no{told}"
        case FailureKind.HTTP_UNAUTHORIZED:
            return f"Let {where} answer without authorization what the specification makes public{told}"
        case FailureKind.HTTP_FORBIDDEN:
            return f"Remove the rule that forbids the request at {where} (status 403), if it is not meant"
        case FailureKind.HTTP_NOT_FOUND:
            return (
                f"Pass /_matrix/federation and /_matrix/key on to the homeserver at {where}, and let it listen for "
                "federation: the path is not found (status 404)"
            )
        case FailureKind.HTTP_RATE_LIMITED:
            return f"Raise the rate limit before {where}: a few requests were too many (status 429)"
        case FailureKind.HTTP_SERVER_ERROR:
            return f"Start the homeserver behind {where}, and look into its log: the answer is a server error{told}"
        case FailureKind.HTTP_REDIRECT:
            return f"Answer at {where} itself: requests of the federation API may not be redirected{told}"
        case FailureKind.HTTP_PROTOCOL:
            return f"Let {where} speak HTTP/1.1 over TLS: what it sends is no such answer{told}"
        case FailureKind.HTTP_CLOSED:
            return f"See why {where} closes the connection before it has answered: often a proxy without a backend"
        case FailureKind.HTTP_TIMEOUT:
            return f"See why {where} does not answer in time: often an overloaded homeserver"
        case FailureKind.HTTP_TOO_LARGE:
            return f"Let {where} answer with the short document that the specification describes{told}"
        case FailureKind.JSON_INVALID:
            return f"Let {where} answer with JSON: what is sent there is none, such as a web page or a proxy's error"
        case FailureKind.JSON_SHAPE:
            return f"Update what answers at {where}: its JSON lacks what the specification requires{told}"
        case FailureKind.KEYS_WRONG_NAME:
            return (
                f"Let {where} lead to the homeserver of {name}, or set its server_name to {name}: the key document "
                f"there is of another server{told}"
            )
        case FailureKind.KEYS_NO_KEY:
            return f"Let the homeserver of {name} publish an ed25519 signing key in its key document{told}"
        case FailureKind.KEYS_NO_SIGNATURE:
            return f"Let the homeserver of {name} sign its key document by one of the keys in it: no signature is there"
        case FailureKind.KEYS_BAD_SIGNATURE:
            return (
                f"Publish the key document of {name} as the homeserver signed it: something between changes it, or it "
                "was signed by another key"
            )
        case FailureKind.KEYS_EXPIRED:
            return (
                f"Renew the key document of {name}: its valid_until_ts is past; correct the homeserver's clock, and "
                f"let nothing at {where} cache /_matrix/key/v2/server"
            )
        case FailureKind.POLICY_ADDRESS:
            if is_ip_literal(asked.strip("[]")):
                return (
                    f"Put a public address, or a host name that leads to one, in place of {asked}, which is private or "
                    f"special, so that no server on the internet connects to it{told}"
                )
            return (
                f"Point {asked} at a public address: it leads only to private or special ones, to which no server on "
                f"the internet connects{told}"
            )
        case FailureKind.POLICY_BUDGET:
            return f"See why {where} needs so many requests or sends so much that this check gave up"
        case _:
            assert_never(kind)
