"""Where a server is on the network: its DNS records, web fronts, endpoints and certificates.

Each branch of the specification's algorithm is staged here from the other side: what an operator sets up so that a
peer ends on that branch, and, written down beside it, the endpoint where the peer must end (server-server API,
"Resolving server names"). Nothing here follows the algorithm.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from crawler.lab.deaths import Death
from crawler.lab.dice import dice
from crawler.lab.hosting import FEDERATION_PORT, OTHER_PORT, REFUSING_PORT, SILENT_PORT, WEB_PORT, Hosting
from crawler.lab.names import operator_domain, provider_domain, tenant_label
from crawler.lab.network import Certificate, DnsConduct, Presence, Record, RecordType, Role, Route, Target
from crawler.lab.oddities import Front, Quirk
from crawler.lab.plan import ServerPlan
from crawler.model.discovery import Branch

_CERTIFICATE_OF = {
    Death.EXPIRED: Certificate.EXPIRED,
    Death.NOT_YET_VALID: Certificate.NOT_YET_VALID,
    Death.WRONG_NAME: Certificate.WRONG_NAME,
    Death.SELF_SIGNED: Certificate.SELF_SIGNED,
    Death.UNTRUSTED: Certificate.UNTRUSTED,
    Death.NO_HANDSHAKE: Certificate.NONE,
}
_CONDUCT_OF = {
    Death.SERVFAIL: DnsConduct.SERVFAIL,
    Death.DNS_REFUSED: DnsConduct.REFUSED,
    Death.DNS_SILENT: DnsConduct.SILENT,
}
_ONE_HOST = frozenset({Branch.EXPLICIT_PORT, Branch.SRV, Branch.SRV_DEPRECATED, Branch.DEFAULT})
"""Branches on which the server name's own host is the certificate's name."""


def build_presence(plan: ServerPlan, seed: int, hosting: Hosting) -> Presence:
    """Set up one server."""
    return _Builder(plan, seed, hosting).build()


@dataclass
class _Builder:
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
        self.port = {Death.PORT_REFUSES: REFUSING_PORT, Death.PORT_SILENT: SILENT_PORT}.get(
            plan.death or Death.NXDOMAIN, 0
        )

    def build(self) -> Presence:
        stage: Callable[[], str] = {
            Branch.IP_LITERAL: self._ip_literal,
            Branch.EXPLICIT_PORT: self._explicit_port,
            Branch.WELL_KNOWN_IP: self._well_known_ip,
            Branch.WELL_KNOWN_PORT: self._well_known_port,
            Branch.WELL_KNOWN_SRV: self._well_known_srv,
            Branch.WELL_KNOWN_SRV_DEPRECATED: self._well_known_srv,
            Branch.WELL_KNOWN_DEFAULT: self._well_known_default,
            Branch.SRV: self._srv,
            Branch.SRV_DEPRECATED: self._srv,
            Branch.DEFAULT: self._default,
        }[self.plan.branch]
        name = stage()
        return Presence(
            index=self.index,
            name=name,
            own_host=name[: name.index("]") + 1] if name.startswith("[") else name.partition(":")[0],
            records=tuple(self.records),
            dns_conduct=tuple(self.dns_conduct),
            routes=tuple(self.routes),
            certificates=tuple(self.certificates),
            targets=tuple(self.targets),
            delegated=self.delegated,
            client_base=self.client_base,
            ip_names=tuple(self.ip_names),
        )

    # The branches of the algorithm, by number.

    def _ip_literal(self) -> str:
        """1: the name is an address, with a port or without."""
        death = self.plan.death
        if death is Death.SPECIAL_ADDRESS:
            return self.hosting.special_literal(self.index)
        ipv6 = death is None and self.draw.random() < 0.3
        address = self.hosting.own_ipv6(self.index) if ipv6 else self.hosting.own(self.index)
        literal = f"[{address}]" if ipv6 else address
        port = self.port or (OTHER_PORT if self.draw.random() < 0.5 else FEDERATION_PORT)
        name = literal if port == FEDERATION_PORT and self.draw.random() < 0.7 else f"{literal}:{port}"
        self.ip_names.append(address)
        self._target(address, port, name, address)
        self.routes.append((WEB_PORT, literal, Route(self.index, Role.WELL_KNOWN, address, Front.NOT_FOUND)))
        return name

    def _explicit_port(self) -> str:
        """2: neither .well-known nor SRV is asked; the Host header carries the port."""
        port = self.port or self.draw.choice((FEDERATION_PORT, WEB_PORT, OTHER_PORT))
        name = f"{self.host}:{port}"
        self._endpoint_host(self.host, port, name)
        # Who asks for .well-known all the same is led to a name that does not exist.
        self._front(m_server=f"trap.{self.domain}:443" if self.plan.quirk is Quirk.TRAP else None)
        self._client(self.host)
        return name

    def _well_known_ip(self) -> str:
        """3.1: .well-known points to an address."""
        if self.plan.death is Death.SPECIAL_ADDRESS:
            self.delegated = f"{self.hosting.special_literal(self.index)}:{FEDERATION_PORT}"
        else:
            address = self.hosting.own(self.index, 1)
            port = self.port or FEDERATION_PORT
            bare = port == FEDERATION_PORT and self.draw.random() < 0.5
            self.delegated = address if bare else f"{address}:{port}"
            self.ip_names.append(address)
            self._target(address, port, self.delegated, address)
        return self._delegating()

    def _well_known_port(self) -> str:
        """3.2: .well-known points to a name with a port; SRV is not asked."""
        delegate = f"matrix.{self.domain}"
        if self.plan.provider is not None:
            label = tenant_label(self.seed, self.index)
            delegate = f"{label}.{provider_domain(self.seed, self.plan.provider)}"
            if self.draw.random() < 0.5:
                self.host = delegate
        port = self.port or self.draw.choice((WEB_PORT, WEB_PORT, FEDERATION_PORT, OTHER_PORT))
        self.delegated = f"{delegate}:{port}"
        if self.plan.death is not Death.DELEGATE_GONE:
            self._endpoint_host(delegate, port, self.delegated)
        return self._delegating()

    def _well_known_srv(self) -> str:
        """3.3 and 3.4: .well-known points to a name whose SRV records say the rest."""
        self.delegated = f"matrix.{self.domain}"
        self._srv_endpoints(self.delegated, deprecated=self.plan.branch is Branch.WELL_KNOWN_SRV_DEPRECATED)
        return self._delegating()

    def _well_known_default(self) -> str:
        """3.5: .well-known points to a name, which is dialled at 8448."""
        self.delegated = f"matrix.{self.domain}"
        if self.plan.death is not Death.DELEGATE_GONE:
            self._endpoint_host(self.delegated, FEDERATION_PORT, self.delegated)
        return self._delegating()

    def _srv(self) -> str:
        """4 and 5: no (valid) .well-known; SRV records of the name itself say where."""
        self._srv_endpoints(self.host, deprecated=self.plan.branch is Branch.SRV_DEPRECATED)
        self._front()
        self._client(f"client.{self.domain}")
        return self.host

    def _default(self) -> str:
        """6: neither; the name itself at 8448."""
        self._endpoint_host(self.host, FEDERATION_PORT, self.host)
        self._front()
        self._client(self.host)
        return self.host

    # The parts of them.

    def _delegating(self) -> str:
        """The rest of a name whose .well-known is valid."""
        self._front(m_server=self.delegated)
        if self.plan.branch not in (Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_DEFAULT) or self.delegated is None:
            self._client(f"client.{self.domain}")
            return self.host
        delegate = self.delegated.partition(":")[0]
        self._client(delegate)
        if self.plan.quirk is Quirk.TRAP:
            # A delegate is never asked for a .well-known of its own; who does is led to a name that does not exist.
            self._route(WEB_PORT, delegate, Role.WELL_KNOWN, self.address, Front.VALID, f"trap.{self.domain}:443")
        return self.host

    def _front(self, m_server: str | None = None) -> None:
        """Port 443 of the name's own host."""
        front, host = self.plan.front, self.host
        if front is Front.NO_ADDRESS or self._is_lost_in_dns:
            return
        if m_server is not None and front is not Front.REDIRECTED:
            front = Front.VALID
        address = self._address_of(host) or self._record(host, RecordType.A, self.hosting.own(self.index))
        if front is Front.BAD_CERTIFICATE and self.plan.death not in _CERTIFICATE_OF:
            self.certificates.append((WEB_PORT, host, Certificate.EXPIRED))
        if front is Front.REDIRECTED:
            www, landing = f"www.{self.domain}", f"landing.{self.domain}"
            for hop in (www, landing):
                self._record(hop, RecordType.A, address)
            self._route(WEB_PORT, host, Role.WELL_KNOWN, address, front, redirect=(301, www))
            self._route(WEB_PORT, www, Role.WELL_KNOWN, address, front, redirect=(308, landing))
            self._route(WEB_PORT, landing, Role.WELL_KNOWN, address, Front.VALID, m_server=m_server)
            return
        if front is Front.TOO_LARGE:
            m_server = f"trap.{self.domain}:443"
        self._route(WEB_PORT, host, Role.WELL_KNOWN, address, front, m_server=m_server)

    def _client(self, host: str) -> None:
        """The client API at port 443 of a host, and the address of it that is published; for who publishes one."""
        if not self.plan.publishes_client:
            return
        address = self._address_of(host) or self._record(host, RecordType.A, self.address)
        self._route(WEB_PORT, host, Role.CLIENT, address)
        self.client_base = f"https://{host}"

    def _endpoint_host(self, host: str, port: int, host_header: str) -> None:
        """A federation endpoint at a named host, with the addresses that quirk and death ask for."""
        death, quirk = self.plan.death, self.plan.quirk
        if death in _CONDUCT_OF:
            self.dns_conduct.append((host, _CONDUCT_OF[death]))
            return
        if death is Death.NXDOMAIN:
            return
        if death is Death.NODATA:
            self._record(host, RecordType.TXT, '"v=spf1 -all"')
            return
        if death is Death.SPECIAL_ADDRESS:
            special = self.hosting.special(self.index)
            self._record(host, RecordType.AAAA if ":" in special else RecordType.A, special)
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
            self._record(host, RecordType.A, "10.99.0.1")
        elif quirk is Quirk.CNAME:
            owner = f"edge-{self.index}.{provider_domain(self.seed, 0)}"
            self._record(host, RecordType.CNAME, f"{owner}.")
        for address in addresses:
            self._record(owner, RecordType.AAAA if ":" in address else RecordType.A, address)
            self._target(address, port, host_header, host)

    def _srv_endpoints(self, owner: str, *, deprecated: bool) -> None:
        """SRV records of `owner` and the endpoints behind them; Host and certificate are `owner`'s, not a target's."""
        service = f"_matrix._tcp.{owner}" if deprecated else f"_matrix-fed._tcp.{owner}"
        death, quirk = self.plan.death, self.plan.quirk
        port = self.port or self.draw.choice((FEDERATION_PORT, OTHER_PORT))
        if death is Death.SRV_DECLINED:
            self._record(service, RecordType.SRV, "0 0 0 .")
            return
        if death is Death.SRV_TARGET_GONE:
            self._record(service, RecordType.SRV, f"10 5 {port} gone.{self.domain}.")
            return
        if death is Death.SPECIAL_ADDRESS:
            special = self.hosting.special(self.index)
            self._record(service, RecordType.SRV, f"10 5 {port} node1.{self.domain}.")
            self._record(f"node1.{self.domain}", RecordType.AAAA if ":" in special else RecordType.A, special)
            return
        rows = [(10, 5, port)]
        if quirk is Quirk.FIRST_TARGET_DEAD:
            rows = [(10, 5, REFUSING_PORT), (20, 5, port)]
        elif quirk is Quirk.WEIGHTED_TARGETS:
            rows = [(10, 60, port), (10, 40, port)]
        for number, (priority, weight, target_port) in enumerate(rows, start=1):
            node, address = f"node{number}.{self.domain}", self.hosting.own(self.index, number)
            self._record(service, RecordType.SRV, f"{priority} {weight} {target_port} {node}.")
            self._record(node, RecordType.A, address)
            self._target(address, target_port, owner, owner, priority)

    def _target(self, address: str, port: int, host_header: str, tls_name: str, priority: int = 0) -> None:
        dead_hosts = (Death.HOST_REFUSES, Death.HOST_SILENT)
        works = port not in (REFUSING_PORT, SILENT_PORT) and self.plan.death not in dead_hosts
        self.targets.append(Target(address, port, host_header, tls_name, priority, works))
        if self.plan.death in _CERTIFICATE_OF:
            # The bad certificate is the host's on every port, as it is where one proxy serves them all.
            on = None if self.plan.branch in _ONE_HOST else port
            entry = (on, tls_name, _CERTIFICATE_OF[self.plan.death])
            if entry not in self.certificates:
                self.certificates.append(entry)
        if works:
            self._route(port, host_header, Role.FEDERATION, address)

    def _route(
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

    def _record(self, owner: str, kind: RecordType, data: str) -> str:
        """Add a record, once; its data."""
        record = Record(owner, kind, data, self.ttl_s)
        if record not in self.records:
            self.records.append(record)
        return data

    def _address_of(self, host: str) -> str | None:
        """The first address that the records so far give for a host, through its CNAME."""
        for record in self.records:
            if record.owner == host and record.type is RecordType.CNAME:
                return self._address_of(record.data.rstrip("."))
            if record.owner == host and record.type in (RecordType.A, RecordType.AAAA):
                return record.data
        return None

    @property
    def _is_lost_in_dns(self) -> bool:
        """Whether the server's own host gives no address that may be dialled, so that no front can be reached."""
        lost = (Death.NXDOMAIN, Death.NODATA, Death.SPECIAL_ADDRESS, *_CONDUCT_OF)
        return self.plan.death in lost and self.plan.branch in (Branch.DEFAULT, Branch.EXPLICIT_PORT)


def _machine_address(plan: ServerPlan, hosting: Hosting) -> str:
    """The IPv4 address of a server's own machine, or its provider's."""
    if plan.provider is not None:
        return hosting.shared(plan.provider, plan.index)
    return hosting.own(plan.index, 1)
