"""A first configuration, as `init` writes it: what was found published, with a comment for each key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from deliverkit.config.settings import Config, DomainConfig

_HEAD: Final = """\
# What is expected of our mail domains: `deliverkit check` judges them by this.
# Where each value comes from: deliverkit config show. For editors: deliverkit schema config.
# Paths are relative to this file. A password is never written here.
schema = 1

# The least severity that exits 1: error, warning, notice or never.
fail_on = "error"
# What could not be determined exits 3 (report), 0 (pass) or 1 (fail); by area: { default = "report", dnssec = "pass" }.
inconclusive = "report"
# Whom to ask, each further one where the one before fails: ADDR[#PORT], tls://ADDR, https://HOST/PATH, authoritative.
# resolvers = ["system"]
# What `deliverkit baseline` accepted: only what is new fails.
# baseline = ".deliverkit-baseline.json"
# The severity of a rule, here: error, warning, notice or off.
# [rules]
# "dmarc-policy-none" = "warning"
"""
_TAIL: Final = """
# A finding that is accepted for a while:
# [[ignore]]
# rule = "dmarc-policy-none"
# domain = "example.com"
# reason = "OPS-412: monitoring until January"
# expires = 2027-01-31
"""
_WORDS: Final = {
    "role": "What the domain is for: mail, send-only, receive-only or parked.",
    "mx": "The mail hosts, all of them.",
    "senders": "Addresses and networks that send mail for the domain: each must pass SPF.",
    "dkim_selectors": "The DKIM selectors that must be published.",
    "dkim_cnames": "By selector: where its CNAME must lead.",
    "dmarc": "The DMARC policy that receivers must apply: reject, quarantine or none.",
    "mta_sts": "The mode of MTA-STS: enforce, testing or none.",
}
_EXAMPLES: Final = {
    "role": '"mail"',
    "mx": '["mx.example.com"]',
    "senders": '["192.0.2.10", "198.51.100.0/28"]',
    "dkim_selectors": '["s1"]',
    "dkim_cnames": '{ s1 = "s1.dkim.vendor.example" }',
    "dmarc": '"reject"',
    "mta_sts": '"enforce"',
}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One domain's entry as it is to be written. `untold`: keys whose value could not be determined."""

    domain: str
    role: str | None = None
    mx: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    dkim_selectors: tuple[str, ...] = ()
    dkim_cnames: dict[str, str] = {}
    dmarc: str | None = None
    mta_sts: str | None = None
    untold: tuple[str, ...] = ()

    def expected(self) -> DomainConfig:
        """The entry as it will be read."""
        return DomainConfig(
            name=self.domain,
            written=self.domain,
            line=1,
            role=self.role,
            mx=self.mx or None,
            senders=self.senders,
            dkim_selectors=self.dkim_selectors,
            dkim_cnames=self.dkim_cnames,
            dmarc=self.dmarc,
            mta_sts=self.mta_sts,
        )


def config_of(drafts: Iterable[Draft]) -> Config:
    """The configuration that the drafts will be."""
    return Config(domains={draft.domain: draft.expected() for draft in drafts})


def written(drafts: Iterable[Draft]) -> str:
    """The file's text. What each key means is said once, with the first domain."""
    parts = [_HEAD]
    for number, draft in enumerate(drafts):
        parts.append("\n".join(["", f"[domains.{_text(draft.domain)}]", *_entry(draft, explain=number == 0)]) + "\n")
    return "".join((*parts, _TAIL))


def _entry(draft: Draft, *, explain: bool) -> Iterator[str]:
    for key, words in _WORDS.items():
        value = getattr(draft, key)
        if explain:
            yield f"# {words}"
        if value:
            yield f"{key} = {_toml(value)}"
        elif key in draft.untold:
            yield f"# {key}: could not be determined when this was written"
        elif explain:
            yield f"# {key} = {_EXAMPLES[key]}"


def _toml(value: str | tuple[str, ...] | dict[str, str]) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    return f"{{ {', '.join(f'{_text(key)} = {_text(item)}' for key, item in value.items())} }}"


def _text(value: str) -> str:
    """A basic string: what JSON escapes, TOML reads alike (TOML 1.0, String)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
