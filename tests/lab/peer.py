"""A stranger to the practice federation: reaches its servers with stdlib ssl, dnspython and the rules it prints.

Written against the RFCs and the line that `lab` prints, without anything of `crawler.net`, so that what these tests
find does not depend on the crawler.
"""

import ipaddress
import json
import ssl
from dataclasses import dataclass, field
from typing import Any

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import h11
import trio

from crawler.lab.run import Lab


@dataclass
class Page:
    """An answer. `headers` in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def records_of(answer: dns.message.Message, kind: str) -> list[str]:
    """The data of the records of one type in an answer."""
    wanted = dns.rdatatype.from_text(kind)
    return [str(record) for rrset in answer.answer if rrset.rdtype == wanted for record in rrset]


@dataclass
class Stranger:
    """Asks the practice federation. `waits_s` is how long it waits for anything before it calls it silent."""

    lab: Lab
    waits_s: float = 0.4
    context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self.context = ssl.create_default_context(cafile=str(self.lab.files.ca))
        self.rules = [rule.split("=") for rule in self.lab.line()["connect"]]  # type: ignore[attr-defined]

    # DNS

    async def query(self, name: str, kind: str, *, edns: bool = False) -> dns.message.Message:
        """One query, over TCP where UDP said that the answer is truncated."""
        message = dns.message.make_query(name, kind, use_edns=edns)
        port = self.lab.dns_port
        try:
            answer = await dns.asyncquery.udp(message, "127.0.0.1", port=port, timeout=self.waits_s)
            if answer.flags & dns.flags.TC:
                answer = await dns.asyncquery.tcp(message, "127.0.0.1", port=port, timeout=self.waits_s)
        except dns.exception.Timeout:
            raise trio.TooSlowError from None
        return answer

    async def records(self, name: str, kind: str) -> list[str]:
        """The data of all records of one type, CNAMEs followed by the server."""
        return records_of(await self.query(name, kind), kind)

    async def addresses(self, name: str) -> list[str]:
        return [*await self.records(name, "AAAA"), *await self.records(name, "A")]

    # TCP and TLS

    def rule_for(self, address: str, port: int) -> tuple[str, int]:
        """Where `--connect` leads: the first rule that fits."""
        spelled = f"[{address}]" if ":" in address else address
        for left, right in self.rules:
            rule_address, _, rule_port = left.rpartition(":")
            if rule_address in ("*", spelled) and rule_port in ("*", str(port)):
                host, _, to = right.rpartition(":")
                return host, int(to)
        raise LookupError(f"no rule for {address}:{port}")

    async def dial(self, address: str, port: int) -> trio.SocketStream:
        """TCP; TooSlowError when nobody answers, ConnectionRefusedError when somebody does and says no."""
        assert any(
            ipaddress.ip_address(address) in ipaddress.ip_network(cidr) for cidr in self.lab.world.allow_addresses()
        )
        host, to = self.rule_for(address, port)
        sock = trio.socket.socket()
        try:
            with trio.fail_after(self.waits_s):
                await sock.connect((host, to))
        except BaseException:
            sock.close()
            raise
        return trio.SocketStream(sock)

    async def secure(self, address: str, port: int, tls_name: str) -> trio.SSLStream[trio.SocketStream]:
        """TLS, verified for `tls_name`; ssl errors come out as they are."""
        tcp = await self.dial(address, port)
        stream = trio.SSLStream(tcp, self.context, server_hostname=tls_name, https_compatible=True)
        try:
            with trio.fail_after(5):
                await stream.do_handshake()
        except trio.BrokenResourceError as error:
            await trio.aclose_forcefully(stream)
            raise error.__cause__ or error from None
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    # HTTP

    async def get(
        self,
        address: str,
        port: int,
        host_header: str,
        tls_name: str,
        target: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
    ) -> Page:
        """One request on a connection of its own."""
        stream = await self.secure(address, port, tls_name)
        async with stream:
            http = h11.Connection(h11.CLIENT)
            all_headers = [("Host", host_header), ("User-Agent", "stranger"), *(headers or {}).items()]
            await stream.send_all(http.send(h11.Request(method=method, target=target, headers=all_headers)) or b"")
            await stream.send_all(http.send(h11.EndOfMessage()) or b"")
            page = Page(0, {}, b"")
            with trio.fail_after(10):
                while True:
                    event = http.next_event()
                    if event is h11.NEED_DATA:
                        data = await stream.receive_some(65536)
                        if not data:
                            raise EOFError("hung up")
                        http.receive_data(bytes(data))
                    elif isinstance(event, h11.Response):
                        page.status = event.status_code
                        page.headers = {name.decode(): value.decode() for name, value in event.headers}
                    elif isinstance(event, h11.Data):
                        page.body += event.data
                    elif isinstance(event, h11.EndOfMessage):
                        return page

    async def get_url(self, url: str, headers: dict[str, str] | None = None) -> Page:
        """GET https://HOST/...: the first address of HOST that may be dialled, port 443."""
        host, _, rest = url.removeprefix("https://").partition("/")
        bare = host.strip("[]")
        try:
            found = [str(ipaddress.ip_address(bare))]
        except ValueError:
            found = [a for a in await self.addresses(host) if self.may_dial(a)]
        if not found:
            raise LookupError(f"{host} has no address")
        return await self.get(found[0], 443, host, bare, "/" + rest, headers)

    def may_dial(self, address: str) -> bool:
        """Only the lab's own blocks: every other address in its DNS is special."""
        networks = [ipaddress.ip_network(cidr) for cidr in self.lab.world.allow_addresses()]
        return any(ipaddress.ip_address(address) in network for network in networks)

    async def federation(self, index: int, target: str, **headers: str) -> Page:
        """One request to the working federation endpoint of a server."""
        at = next(target for target in self.lab.world.presence(index).targets if target.works)
        return await self.get(at.address, at.port, at.host_header, at.tls_name, target, headers)
