"""Where a server is on the network: its DNS records, web fronts, endpoints and certificates.

Each branch of the specification's algorithm is staged here from the other side: what an operator sets up so that a
peer ends on that branch, and, written down beside it, the endpoint where the peer must end (server-server API,
"Resolving server names"). Nothing here follows the algorithm.
"""

from collections.abc import Callable

from crawler.lab.deaths import Death
from crawler.lab.hosting import FEDERATION_PORT, OTHER_PORT, WEB_PORT, Hosting
from crawler.lab.names import provider_domain, tenant_label
from crawler.lab.network import Presence, Role, Route
from crawler.lab.oddities import Front, Quirk
from crawler.lab.plan import ServerPlan
from crawler.lab.site import Site
from crawler.model.discovery import Branch


def build_presence(plan: ServerPlan, seed: int, hosting: Hosting) -> Presence:
    """Set up one server."""
    return _Branches(plan, seed, hosting).build()


class _Branches(Site):
    """A site, set up so that a peer ends on the plan's branch."""

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
        ipv6 = self.draw.random() < 0.3
        address = self.hosting.own_ipv6(self.index) if ipv6 else self.hosting.own(self.index)
        literal = f"[{address}]" if ipv6 else address
        port = self.port or (OTHER_PORT if self.draw.random() < 0.5 else FEDERATION_PORT)
        name = literal if port == FEDERATION_PORT and self.draw.random() < 0.7 else f"{literal}:{port}"
        self.ip_names.append(address)
        self.target(address, port, name, address)
        self.routes.append((WEB_PORT, literal, Route(self.index, Role.WELL_KNOWN, address, Front.NOT_FOUND)))
        return name

    def _explicit_port(self) -> str:
        """2: neither .well-known nor SRV is asked; the Host header carries the port."""
        port = self.port or self.draw.choice((FEDERATION_PORT, WEB_PORT, OTHER_PORT))
        name = f"{self.host}:{port}"
        self.endpoint_host(self.host, port, name)
        # Who asks for .well-known all the same is led to a name that does not exist.
        self.front(m_server=f"trap.{self.domain}:443" if self.plan.quirk is Quirk.TRAP else None)
        self.client(self.host)
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
            self.target(address, port, self.delegated, address)
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
            self.endpoint_host(delegate, port, self.delegated)
        return self._delegating()

    def _well_known_srv(self) -> str:
        """3.3 and 3.4: .well-known points to a name whose SRV records say the rest."""
        self.delegated = f"matrix.{self.domain}"
        self.srv_endpoints(self.delegated, deprecated=self.plan.branch is Branch.WELL_KNOWN_SRV_DEPRECATED)
        return self._delegating()

    def _well_known_default(self) -> str:
        """3.5: .well-known points to a name, which is dialled at 8448."""
        self.delegated = f"matrix.{self.domain}"
        if self.plan.death is not Death.DELEGATE_GONE:
            self.endpoint_host(self.delegated, FEDERATION_PORT, self.delegated)
        return self._delegating()

    def _srv(self) -> str:
        """4 and 5: no (valid) .well-known; SRV records of the name itself say where."""
        self.srv_endpoints(self.host, deprecated=self.plan.branch is Branch.SRV_DEPRECATED)
        self.front()
        self.client(f"client.{self.domain}")
        return self.host

    def _default(self) -> str:
        """6: neither; the name itself at 8448."""
        self.endpoint_host(self.host, FEDERATION_PORT, self.host)
        self.front()
        self.client(self.host)
        return self.host

    def _delegating(self) -> str:
        """The rest of a name whose .well-known is valid."""
        self.front(m_server=self.delegated)
        if self.plan.branch not in (Branch.WELL_KNOWN_PORT, Branch.WELL_KNOWN_DEFAULT) or self.delegated is None:
            self.client(f"client.{self.domain}")
            return self.host
        delegate = self.delegated.partition(":")[0]
        self.client(delegate)
        if self.plan.quirk is Quirk.TRAP:
            # A delegate is never asked for a .well-known of its own; who does is led to a name that does not exist.
            self.route(WEB_PORT, delegate, Role.WELL_KNOWN, self.address, Front.VALID, f"trap.{self.domain}:443")
        return self.host
