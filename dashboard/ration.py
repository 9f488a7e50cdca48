"""How often one visitor may ask: so many at once, and so many a minute in the long run.

The generic cell rate algorithm (ITU-T Recommendation I.371, Annex A), as a virtual schedule: of each visitor one number
is remembered, when his ration would be whole again. A visitor is an address; of IPv6 its /64, which is what one
subscriber is given (RFC 6177), for otherwise everybody had 2^64 rations.
"""

import ipaddress
from collections import OrderedDict

MINUTE_S = 60.0
MOST_VISITORS = 10_000
"""Visitors remembered; the one not seen for longest is forgotten first."""


class Ration:
    """`most` questions at once, and `most` in each `window_s` in the long run."""

    def __init__(self, most: int, window_s: float = MINUTE_S) -> None:
        self._step_s = window_s / most
        self._tolerance_s = window_s - self._step_s
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, visitor: str, now_s: float) -> float:
        """Take one of the visitor's ration.

        Returns:
            0 when there was one; else the seconds until there will be, and none is taken.
        """
        whole_at = max(self._whole_at.get(visitor, now_s), now_s)
        wait_s = whole_at - self._tolerance_s - now_s
        if wait_s > 0:
            return wait_s
        self._whole_at[visitor] = whole_at + self._step_s
        self._whole_at.move_to_end(visitor)
        if len(self._whole_at) > MOST_VISITORS:
            self._whole_at.popitem(last=False)
        return 0.0


def visitor_of(address: str) -> str:
    """Whose ration it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))
