"""Names of operators, servers and rooms.

Every operator has a registrable domain of its own, `quiet-otter.test`, under the two top-level domains that RFC 6761
reserves for testing and examples: they can never be real, and under the default rule of the public suffix list
(`*`) each is registrable, so that whatever groups names by operator sees as many operators as there are.
"""

from crawler.lab.dice import dice, digest


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ADJECTIVES = _words(
    """
    amber ample azure bold brave brisk bright calm candid clear clever cool coral crisp dapper deep eager early
    earnest fabled fair fleet fond free fresh gentle glad golden grand green happy hardy honest humble ivory jolly
    keen kind light lively lucid lucky mellow merry mild misty modest neat nimble noble opal patient plain plucky
    polite proud quick quiet ready rosy serene sturdy tidy warm
    """
)
_NOUNS = _words(
    """
    acorn alder apple aspen badger beaver birch bison brook canyon cedar cherry clover comet condor crane delta
    dune falcon fern finch fjord forest fox garden glacier grove harbor hazel heron island juniper kestrel lagoon
    lark lemur linden lotus lynx maple marten meadow moss otter owl panda pebble pine plover poppy quail raven
    reef river robin sparrow spruce stork summit swift thicket tulip willow yarrow
    """
)
_TOP_LEVEL = ("test", "example")
_DOMAINS = len(_ADJECTIVES) * len(_NOUNS) * len(_TOP_LEVEL)

_SUBJECTS = _words(
    """
    astronomy baking bicycles birds books calligraphy chess choir climbing coffee comics compilers cooking crafts
    cryptography cycling dance databases design electronics ferns film fonts gardening genealogy geology guitars
    hiking history homelab jazz kernels knitting languages law libraries linguistics maps mathematics modelling
    museums networking origami painting philosophy photography physics poetry pottery privacy puzzles radio
    recipes robotics running sailing science sculpture sewing sport statistics tea theatre trains translation
    travel typography video volunteering weather woodwork writing yoga
    """
)
_OFFERS = (
    "free crypto airdrop",
    "casino bonus",
    "cheap followers",
    "forex signals",
    "hot singles chat",
    "instant loan approval",
    "premium accounts cheap",
)
_KINDS = (
    "help",
    "lounge",
    "announcements",
    "offtopic",
    "development",
    "beginners",
    "market",
    "events",
    "regional",
    "meta",
)

HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>",
    "\u202egnirts desrever\u202c",
    "\x1b[2Jterminal\x07",
    '=HYPERLINK("http://evil.test")',
    "Z\u0335\u0322a\u0335l\u0336g\u0334o\u0337",
    "line one\nline two\ttabbed",
    "'; DROP TABLE room; --",
    "👩‍👩‍👧‍👦 family",
    "x" * 400,
)
"""Room names that a careless reader runs, turns around or chokes on; every one stands in a directory."""

_ODD_LOCALPARTS = (
    "#double",
    "a/b",
    "кино",
    "with space",
    "100%",
    "q?x=y&z",
    "日本",
    "_irc_#chan",
    "dots..",
    "plus+plus",
)
"""Alias localparts that are legal and must be percent-encoded with care; `##chan:server` is how IRC portals look."""


UNPARSABLE_SERVERS = ("under_score.test", "[::no-address]", "a..b.test", "far.example:99999", "")
"""What stands among the servers of some alias answers and is no server name."""


def operator_domain(seed: int, operator: int) -> str:
    """The registrable domain of an operator; different operators never share one."""
    round_, base = divmod(operator, _DOMAINS)
    draw = dice(seed, "domains")
    # Odd factors and shifted exclusive-ors are invertible modulo a power of two: every combination comes once before
    # any comes again, in no order that an eye would see.
    position = base
    for _ in range(2):
        position = (position * (2 * draw.randrange(_DOMAINS // 2) + 1) + draw.randrange(_DOMAINS)) % _DOMAINS
        position ^= position >> 6
    position, adjective = divmod(position, len(_ADJECTIVES))
    top_level, noun = divmod(position, len(_NOUNS))
    suffix = f"-{round_}" if round_ else ""
    return f"{_ADJECTIVES[adjective]}-{_NOUNS[noun]}{suffix}.{_TOP_LEVEL[top_level]}"


def provider_domain(seed: int, provider: int) -> str:
    """The registrable domain of a hosting provider; no operator has one like it."""
    noun = _NOUNS[digest(seed, "provider", provider)[0] % len(_NOUNS)]
    return f"{noun}-cloud-{provider}.example"


def farm_domain(seed: int, farm: int) -> str:
    """The registrable domain under which one owner makes names up without end."""
    noun = _NOUNS[digest(seed, "farm", farm)[0] % len(_NOUNS)]
    return f"{noun}-farm-{farm}.test"


def spam_words(seed: int, origin: int, serial: int) -> tuple[str, str]:
    """Name and topic of a room that is there to be found by searches, not for anybody to talk in."""
    draw = dice(seed, "spam", origin, serial)
    offer = draw.choice(_OFFERS)
    link = f"https://{draw.choice(_NOUNS)}-{draw.randrange(1000)}.example/join?ref={serial}"
    name = draw.choice(
        (f"\U0001f4b0 {offer.upper()} \U0001f4b0", f"{offer} | {offer} | {offer}", f"\u2b50 Best {offer} 2026")
    )
    return name, f"{offer.capitalize()}! Limited offer, act now >>> {link} <<< contact @{draw.choice(_NOUNS)}_vip"


def tenant_label(seed: int, index: int) -> str:
    """The label of a hosted server under its provider's domain."""
    return f"{_NOUNS[digest(seed, 'tenant', index)[0] % len(_NOUNS)]}-{index}"


def room_words(seed: int, origin: int, serial: int, renamed: int = 0) -> tuple[str, str, str]:
    """Name, topic and alias localpart of a room that was renamed so many times; localparts of one server never repeat,
    and an alias stays what it was."""
    draw = dice(seed, "words", origin, serial)
    subject, kind = draw.choice(_SUBJECTS), draw.choice(_KINDS)
    localpart = f"{subject}-{kind}-{serial}"
    if draw.random() < 0.06:
        localpart = f"{draw.choice(_ODD_LOCALPARTS)}-{serial}"
    topic = f"All about {subject}: {kind}. Be kind." if draw.random() < 0.7 else ""
    name = f"{subject.capitalize()} {kind}"
    if renamed:
        name = f"{dice(seed, 'renamed', origin, serial, renamed).choice(_SUBJECTS).capitalize()} {kind}"
    return name, topic, localpart
