"""Domain names and addresses: what a user types, what a host may be called, which addresses are nobody's.

A name is held twice: as A-labels, which DNS knows, and as U-labels, which people read (RFC 5890 §2.3).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final

import msgspec

MAX_NAME: Final = 253
MAX_LABEL: Final = 63
_TYPED: Final = 1024
"""Characters looked at at all: IDNA's work grows with the length."""

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_HOST_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")

# Scripts that one language mixes (UTS 39 §5.2, "highly restrictive"): any other mixture in a label is suspect.
_MIXTURES: Final = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_COMMON: Final = frozenset({"Nd", "Mn", "Mc", "Me", "Pd", "Pc", "Po"})


class DomainName(msgspec.Struct, frozen=True):
    """A domain: `ascii` in lower-case A-labels without the trailing dot, `unicode` as people write it.

    `mixed_script` says that a label mixes scripts no language mixes, as look-alike names do.
    """

    ascii: str
    unicode: str
    mixed_script: bool = False


def parse_domain(text: str) -> DomainName:
    """The DOMAIN a user typed. Raises ValueError with one line that says what is wrong with it.

    Mapped by UTS 46 (non-transitional), checked by IDNA 2008; one trailing dot is taken. Labels may hold
    underscores, since `_spf.example.com` is a name one asks about.
    """
    named = f"{_quoted(text)} is not a domain name"
    if not text.strip():
        raise ValueError("the domain name is empty")
    if "://" in text:
        raise ValueError(f"{named}: it is a URL; give the host name alone")
    if "@" in text:
        raise ValueError(f"{named}: give the part after the @")
    if is_address(text.strip("[]")):
        raise ValueError(f"{named}: it is an address")
    if len(text) > _TYPED:
        raise ValueError(f"{named}: it is longer than {MAX_NAME} characters")
    mapped = text.lower() if text.isascii() else _mapped(text, named)
    labels = mapped.removesuffix(".").split(".")
    if not all(labels):
        raise ValueError(f"{named}: it has an empty label")
    encoded: list[str] = []
    readable: list[str] = []
    for label in labels:
        ascii_label, unicode_label = _label(label, named)
        encoded.append(ascii_label)
        readable.append(unicode_label)
    name = ".".join(encoded)
    if len(name) > MAX_NAME:
        raise ValueError(f"{named}: it is longer than {MAX_NAME} characters (RFC 1035 §2.3.4)")
    if encoded[-1].isdigit():
        raise ValueError(f"{named}: its last label is a number")
    return DomainName(name, ".".join(readable), any(_mixed(label) for label in readable))


def unicode_name(name: str) -> str:
    """A name in A-labels as people write it; labels that are no valid IDNA stay as they are."""
    if "xn--" not in name:
        return name
    return ".".join(_readable(label) for label in name.split("."))


def _readable(label: str) -> str:
    try:
        return _decoded(label)
    except ValueError:
        return label


def _mapped(text: str, named: str) -> str:
    import idna  # noqa: PLC0415 - its tables are read only for names that are not ASCII

    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise ValueError(f"{named}: it holds a character that no domain name may hold") from error


def _label(label: str, named: str) -> tuple[str, str]:
    """A label as (A-label, U-label)."""
    import idna  # noqa: PLC0415 - as above

    if label.isascii() and not label.startswith("xn--"):
        if len(label) > MAX_LABEL:
            raise ValueError(f"{named}: a label has more than {MAX_LABEL} characters (RFC 1035 §2.3.4)")
        if not _LABEL.fullmatch(label):
            raise ValueError(f"{named}: {_label_problem(label)}")
        return label, label
    try:
        if label.isascii():
            return label, _decoded(label)
        return idna.alabel(label).decode("ascii"), label
    except (idna.IDNAError, UnicodeError, ValueError, IndexError) as error:
        raise ValueError(f"{named}: the label {_quoted(label)} is no valid IDNA 2008 (RFC 5891 §4)") from error


def _decoded(label: str) -> str:
    """A label's U-label. Raises ValueError where it is not the A-label of one."""
    if not label.startswith("xn--"):
        return label
    import idna  # noqa: PLC0415 - as above

    if len(label) > MAX_LABEL:
        raise ValueError("longer than a label")
    try:
        decoded = idna.ulabel(label)
        if idna.alabel(decoded) != label.encode("ascii"):
            raise ValueError("not in canonical form")
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise ValueError(str(error)) from error
    return decoded


def _label_problem(label: str) -> str:
    if label[0] == "-" or label[-1] == "-":
        return "a label begins or ends with a hyphen"
    wrong = next(char for char in label if not re.match(r"[a-z0-9_-]", char))
    return f"it holds the character {_quoted(wrong)}"


def _quoted(text: str) -> str:
    """What the user typed, on one line and harmless."""
    return ascii(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004 - a line's worth


def _mixed(label: str) -> bool:
    """Whether a label mixes scripts that no language mixes (UTS 39 §5.1)."""
    if label.isascii():
        return False
    scripts = {_script(char) for char in label} - {""}
    return len(scripts) > 1 and not any(scripts <= mixture for mixture in _MIXTURES)


def _script(char: str) -> str:
    """The script as the first word of the character's name; "" for digits, marks and punctuation."""
    if unicodedata.category(char) in _COMMON:
        return ""
    word = re.split(r"[ -]", unicodedata.name(char, "UNKNOWN"), maxsplit=1)[0]
    return "CJK" if word == "IDEOGRAPHIC" else word


def is_hostname(name: str) -> bool:
    """Whether a host may be called so: letters, digits and hyphens (RFC 952, RFC 1123 §2.1)."""
    name = name.removesuffix(".")
    return (
        0 < len(name) <= MAX_NAME
        and all(_HOST_LABEL.fullmatch(label) for label in name.split("."))
        and not name.rpartition(".")[2].isdigit()
    )


def is_localhost(name: str) -> bool:
    """Whether the name is every machine's name for itself: it is not to be looked up (RFC 6761 §6.3)."""
    return name == "localhost" or name.endswith(".localhost") or name == "localhost.localdomain"


def is_subdomain(name: str, parent: str) -> bool:
    """Whether `name` is `parent` or lies below it; both normal names (lower case, no trailing dot)."""
    return not parent or name == parent or name.endswith(f".{parent}")


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address in digits."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_V4_SPECIAL: Final = tuple(
    (ipaddress.IPv4Network(net), kind)
    for net, kind in (
        ("255.255.255.255/32", "broadcast"),
        ("0.0.0.0/8", "unspecified"),  # RFC 1122 §3.2.1.3
        ("10.0.0.0/8", "private"),  # RFC 1918
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),  # RFC 6598
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),  # RFC 3927
        ("192.0.0.0/24", "reserved"),  # RFC 6890 §2.2.2
        ("198.18.0.0/15", "benchmarking"),  # RFC 2544
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_V6_SPECIAL: Final = tuple(
    (ipaddress.IPv6Network(net), kind)
    for net, kind in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("100::/64", "discard-only"),  # RFC 6666
        ("fc00::/7", "unique local"),  # RFC 4193
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),  # RFC 3879
        ("ff00::/8", "multicast"),
        ("64:ff9b:1::/48", "local NAT64"),  # RFC 8215
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_V4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")


def special_address(text: str) -> str | None:
    """What kind of address this is when no stranger can reach it (`loopback`, `private` and so on).

    None for an address of the public Internet. Addresses set aside for documentation (RFC 5737, RFC 3849) count
    as public: they lead nowhere, harm nobody, and stand in every example. An IPv6 address that carries an IPv4
    address (mapped, compatible, NAT64, 6to4, Teredo) is judged by what it carries. Raises ValueError for text
    that is not an address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return next((kind for net, kind in _V4_SPECIAL if address in net), None)
    if kind := next((kind for net, kind in _V6_SPECIAL if address in net), None):
        return kind
    for way, inner in _carried(address):
        kind = next((kind for net, kind in _V4_SPECIAL if inner in net), None)
        if kind:
            return f"{kind} inside {way}"
    if address.ipv4_mapped is not None:
        return "IPv4-mapped"  # never on the wire (RFC 4291 §2.5.5.2)
    return None


def _carried(address: ipaddress.IPv6Address) -> list[tuple[str, ipaddress.IPv4Address]]:
    """The IPv4 addresses that an IPv6 address carries, and by which way."""
    found: list[tuple[str, ipaddress.IPv4Address]] = []
    if address.ipv4_mapped is not None:
        found.append(("an IPv4-mapped address", address.ipv4_mapped))
    if address.sixtofour is not None:
        found.append(("a 6to4 address", address.sixtofour))
    if address.teredo is not None:
        # The server's address in the clear, the client's inverted (RFC 4380 §4).
        found.extend(("a Teredo address", inner) for inner in address.teredo)
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        found.append(("a NAT64 address", last))
    if address in _V4_COMPATIBLE:
        found.append(("an IPv4-compatible address", last))
    return found


_LOCAL_SUFFIXES = (
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "lan",
    "home",
    "corp",
    "home.arpa",
    "onion",
)


def is_internal(host: str) -> bool:
    """A name that only a private network knows: a single label, or below a suffix kept for such use."""
    return "." not in host or any(host.endswith(f".{suffix}") for suffix in _LOCAL_SUFFIXES)


def address_literal(address: str) -> str:
    """An address as EHLO says it (RFC 5321 §4.1.3): `[192.0.2.1]`, `[IPv6:2001:db8::1]`; a zone is nobody else's."""
    address, _, _ = address.partition("%")
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
