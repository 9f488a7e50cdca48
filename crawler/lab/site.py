"""What an operator sets up for one server, part by part: records, web front, client API, endpoints, certificates.

Apart from `lab.presence`, which decides, branch by branch, which parts a server gets: here is only what each part is,
and what a death or a quirk makes of it.
"""

from dataclasses import dataclass, field

from crawler.lab.deaths import Death
from crawler.lab.dice import dice
from crawler.lab.hosting import (
    FEDERATION_PORT,
    OTHER_PORT,
    REFUSING_PORT,
    SILENT_PORT,
    STALLING_PORT,
    WEB_PORT,
    Hosting,
)
from crawler.lab.names import farm_domain, operator_domain, provider_domain, tenant_label
from crawler.lab.network import Certificate, DnsConduct, Record, RecordType, Role, Route, Target
from crawler.lab.oddities import Front, Quirk
from crawler.lab.plan import ServerPlan
from crawler.model.discovery import Branch

CERTIFICATE_OF = {
    Death.EXPIRED: Certificate.EXPIRED,
    Death.NOT_YET_VALID: Certificate.NOT_YET_VALID,
    Death.WRONG_NAME: Certificate.WRONG_NAME,
    Death.SELF_SIGNED: Certificate.SELF_SIGNED,
    Death.UNTRUSTED: Certificate.UNTRUSTED,
    Death.NO_HANDSHAKE: Certificate.NONE,
}
CONDUCT_OF = {
    Death.SERVFAIL: DnsConduct.SERVFAIL,
    Death.DNS_REFUSED: DnsConduct.REFUSED,
    Death.DNS_SILENT: DnsConduct.SILENT,
}
_PORT_OF = {
    Death.PORT_REFUSES: REFUSING_PORT,
    Death.PORT_SILENT: SILENT_PORT,
    Death.STALLS: STALLING_PORT,
}
ONE_HOST = frozenset({Branch.EXPLICIT_PORT, Branch.SRV, Branch.SRV_DEPRECATED, Branch.DEFAULT})
"""Branches on which the server name's own host is the certificate's name."""


@dataclass
class Site:
    """One server's part of the network, growing as its parts are set up."""

    plan: ServerPlan
    seed: int
    hosting: Hosting
    records: list[Record] = field(default_factory=list)
    dns_conduct: list[tuple[str, DnsConduct]] = field(default_factory=list)
    routes: list[tuple[int, str, Route]] = field(default_factory=list)
    certificates: list[tuple[int | None, str, Certificate]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    ip_names: list[str] = field(default_factory=list)
    delegated: str | None = None
    client_base: str | None = None

    def __post_init__(self) -> None:
        plan = self.plan
        self.index = plan.index
        self.draw = dice(self.seed, "presence", plan.index)
        self.domain = operator_domain(self.seed, plan.index)
        self.ttl_s = self.draw.choice((60, 300, 3600, 86400))
        self.host = self.domain if self.draw.random() < 0.7 else f"chat.{self.domain}"
        self.address = _machine_address(plan, self.hosting)
        if plan.farm is not None:
            self.domain = farm_domain(self.seed, plan.farm)
            self.host = f"{tenant_label(self.seed, plan.index)}.{self.domain}"
        self.port = _PORT_OF.get(plan.death or Death.NXDOMAIN, 0)

    def front(self, m_server: str | None = None) -> None:
        """Port 443 of the name's own host."""
        front, host = self.plan.front, self.host
        if front is Front.NO_ADDRESS or self.is_lost_in_dns:
            return
        if m_server is not None and front is not Front.REDIRECTED:
            front = Front.VALID
        address = self.address_of(host) or self.record(host, RecordType.A, self.hosting.own(self.index))
        if front is Front.BAD_CERTIFICATE and self.plan.death not in CERTIFICATE_OF:
            self.certificates.append((WEB_PORT, host, Certificate.EXPIRED))
        if front is Front.REDIRECTED:
            www, landing = f"www.{self.domain}", f"landing.{self.domain}"
            for hop in (www, landing):
                self.record(hop, RecordType.A, address)
            self.route(WEB_PORT, host, Role.WELL_KNOWN, address, front, redirect=(301, www))
            self.route(WEB_PORT, www, Role.WELL_KNOWN, address, front, redirect=(308, landing))
            self.route(WEB_PORT, landing, Role.WELL_KNOWN, address, Front.VALID, m_server=m_server)
            return
        if front is Front.TOO_LARGE:
            m_server = f"trap.{self.domain}:443"
        self.route(WEB_PORT, host, Role.WELL_KNOWN, address, front, m_server=m_server)

    def client(self, host: str) -> None:
        """The client API at port 443 of a host, and the address of it that is published; for who publishes one."""
        if not self.plan.publishes_client:
            return
        address = self.address_of(host) or self.record(host, RecordType.A, self.address)
        self.route(WEB_PORT, host, Role.CLIENT, address)
        self.client_base = f"https://{host}"

    def endpoint_host(self, host: str, port: int, host_header: str) -> None:
        """A federation endpoint at a named host, with the addresses that quirk and death ask for."""
        death, quirk = self.plan.death, self.plan.quirk
        if death in CONDUCT_OF:
            self.dns_conduct.append((host, CONDUCT_OF[death]))
            return
        if death is Death.NXDOMAIN:
            return
        if death is Death.NODATA:
            self.record(host, RecordType.TXT, '"v=spf1 -all"')
            return
        if death is Death.SPECIAL_ADDRESS:
            special = self.hosting.special(self.index)
            self.record(host, RecordType.AAAA if ":" in special else RecordType.A, special)
            return
        addresses = [self.address]
        owner = host
        if death is Death.HOST_REFUSES:
            addresses = [self.hosting.refusing(self.index)]
        elif death is Death.HOST_SILENT:
            addresses = [self.hosting.silent(self.index)]
        elif quirk is Quirk.IPV6_ONLY:
            addresses = [self.hosting.own_ipv6(self.index)]
        elif quirk is Quirk.DUAL_STACK:
            addresses = [self.hosting.own_ipv6(self.index), self.address]
        elif quirk is Quirk.MANY_ADDRESSES:
            addresses = list(self.hosting.many(self.index, 36))
        elif quirk is Quirk.MIXED_ADDRESSES:
            self.record(host, RecordType.A, "10.99.0.1")
        elif quirk is Quirk.CNAME:
            owner = f"edge-{self.index}.{provider_domain(self.seed, 0)}"
            self.record(host, RecordType.CNAME, f"{owner}.")
        for address in addresses:
            self.record(owner, RecordType.AAAA if ":" in address else RecordType.A, address)
            self.target(address, port, host_header, host)

    def srv_endpoints(self, owner: str, *, deprecated: bool) -> None:
        """SRV records of `owner` and the endpoints behind them; Host and certificate are `owner`'s, not a target's."""
        service = f"_matrix._tcp.{owner}" if deprecated else f"_matrix-fed._tcp.{owner}"
        death, quirk = self.plan.death, self.plan.quirk
        port = self.port or self.draw.choice((FEDERATION_PORT, OTHER_PORT))
        if death is Death.SRV_DECLINED:
            self.record(service, RecordType.SRV, "0 0 0 .")
            return
        if death is Death.SRV_TARGET_GONE:
            self.record(service, RecordType.SRV, f"10 5 {port} gone.{self.domain}.")
            return
        if death is Death.SPECIAL_ADDRESS:
            special = self.hosting.special(self.index)
            self.record(service, RecordType.SRV, f"10 5 {port} node1.{self.domain}.")
            self.record(f"node1.{self.domain}", RecordType.AAAA if ":" in special else RecordType.A, special)
            return
        rows = [(10, 5, port)]
        if quirk is Quirk.FIRST_TARGET_DEAD:
            rows = [(10, 5, REFUSING_PORT), (20, 5, port)]
        elif quirk is Quirk.WEIGHTED_TARGETS:
            rows = [(10, 60, port), (10, 40, port)]
        for number, (priority, weight, target_port) in enumerate(rows, start=1):
            node, address = f"node{number}.{self.domain}", self.hosting.own(self.index, number)
            self.record(service, RecordType.SRV, f"{priority} {weight} {target_port} {node}.")
            self.record(node, RecordType.A, address)
            self.target(address, target_port, owner, owner, priority)

    def target(self, address: str, port: int, host_header: str, tls_name: str, priority: int = 0) -> None:
        dead_hosts = (Death.HOST_REFUSES, Death.HOST_SILENT)
        works = port not in (REFUSING_PORT, SILENT_PORT) and self.plan.death not in dead_hosts
        self.targets.append(Target(address, port, host_header, tls_name, priority, works))
        if self.plan.death in CERTIFICATE_OF:
            # The bad certificate is the host's on every port, as it is where one proxy serves them all.
            on = None if self.plan.branch in ONE_HOST else port
            entry = (on, tls_name, CERTIFICATE_OF[self.plan.death])
            if entry not in self.certificates:
                self.certificates.append(entry)
        if works:
            self.route(port, host_header, Role.FEDERATION, address)

    def route(
        self,
        port: int,
        host: str,
        role: Role,
        address: str,
        front: Front | None = None,
        m_server: str | None = None,
        redirect: tuple[int, str] | None = None,
    ) -> None:
        """Add what a (port, Host) pair serves; roles of one pair are joined."""
        host = host.lower()
        for place, (at_port, at_host, route) in enumerate(self.routes):
            if (at_port, at_host) == (port, host):
                joined = Route(
                    self.index,
                    route.role | role,
                    route.address,
                    route.front or front,
                    route.m_server or m_server,
                    route.redirect or redirect,
                )
                self.routes[place] = (port, host, joined)
                return
        self.routes.append((port, host, Route(self.index, role, address, front, m_server, redirect)))

    def record(self, owner: str, kind: RecordType, data: str) -> str:
        """Add a record, once; its data. A farm has a wildcard (RFC 4592) for all that its owner may think of."""
        if self.plan.farm is not None:
            owner = f"*.{self.domain}"
        record = Record(owner, kind, data, self.ttl_s)
        if record not in self.records:
            self.records.append(record)
        return data

    def address_of(self, host: str) -> str | None:
        """The first address that the records so far give for a host, through its CNAME."""
        if self.plan.farm is not None:
            return self.address
        for record in self.records:
            if record.owner == host and record.type is RecordType.CNAME:
                return self.address_of(record.data.rstrip("."))
            if record.owner == host and record.type in (RecordType.A, RecordType.AAAA):
                return record.data
        return None

    @property
    def is_lost_in_dns(self) -> bool:
        """Whether the server's own host gives no address that may be dialled, so that no front can be reached."""
        lost = (Death.NXDOMAIN, Death.NODATA, Death.SPECIAL_ADDRESS, *CONDUCT_OF)
        return self.plan.death in lost and self.plan.branch in (Branch.DEFAULT, Branch.EXPLICIT_PORT)


def _machine_address(plan: ServerPlan, hosting: Hosting) -> str:
    """The IPv4 address of a server's own machine, or its provider's."""
    if plan.farm is not None:
        return hosting.farm(plan.farm)
    if plan.provider is not None:
        return hosting.shared(plan.provider, plan.index)
    return hosting.own(plan.index, 1)
