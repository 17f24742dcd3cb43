"""The file as it is written (`deliverkit/config/1`): which keys there are, and what may stand in them.

`schema config` prints this as a JSON Schema, for editors; `read` checks files by the same names.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

SCHEMA: Final = "deliverkit/config/1"
VERSION: Final = 1

FailOn = Literal["error", "warning", "notice", "never"]
OnInconclusive = Literal["report", "pass", "fail"]
Weight = Literal["error", "warning", "notice", "off"]
Role = Literal["mail", "send-only", "receive-only", "parked"]
Mode = Literal["enforce", "testing", "none"]
Policy = Literal["reject", "quarantine", "none"]
Programme = Literal["google", "yahoo", "microsoft", "apple", "internet.nl", "all"]


class DomainTable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state a domain is meant to be in; what is left out is not expected to be anything."""

    role: Annotated[Role, Meta(description="What the domain is for; recognised where it is left out.")] = "mail"
    mx: Annotated[tuple[str, ...], Meta(description="The mail hosts, all of them.")] = ()
    senders: Annotated[
        tuple[str, ...], Meta(description="Addresses and networks that send for it: each must get SPF pass.")
    ] = ()
    dkim_selectors: Annotated[tuple[str, ...], Meta(description="The selectors that have to be published.")] = ()
    dkim_cnames: Annotated[dict[str, str], Meta(description="By selector: where its CNAME has to lead.")] = {}
    dmarc: Annotated[Policy | None, Meta(description="The policy that receivers have to apply.")] = None
    mta_sts: Annotated[Mode | None, Meta(description="The mode of the MTA-STS policy.")] = None
    zone: Annotated[str | None, Meta(description="Its zone file, relative to this file: for lint and diff.")] = None
    requirements: Annotated[
        tuple[Programme, ...], Meta(description="Providers whose requirements it has to meet.")
    ] = ()


class IgnoreTable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A finding that is accepted."""

    rule: Annotated[str, Meta(description="A rule's id, or an area.")]
    domain: Annotated[str | None, Meta(description="The domain, or *.example.com for all below; else any.")] = None
    reason: Annotated[str | None, Meta(description="Why: an ignore without a reason is a finding.")] = None
    expires: Annotated[dt.date | None, Meta(description="The last day on which it holds.")] = None


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole file."""

    schema: Annotated[Literal[1], Meta(description="The version of this format.")] = 1
    fail_on: Annotated[FailOn, Meta(description="The least severity that exits 1.")] = "error"
    inconclusive: Annotated[
        OnInconclusive | dict[str, OnInconclusive],
        Meta(description="What is undetermined exits 3 (report), 0 (pass) or 1 (fail); or by area and default."),
    ] = "report"
    resolvers: Annotated[
        tuple[str, ...], Meta(description="ADDR[#PORT], tls://ADDR, https://HOST/PATH, authoritative or system.")
    ] = ("system",)
    baseline: Annotated[str | None, Meta(description="The baseline, relative to this file.")] = None
    max_ignore_days: Annotated[int, Meta(ge=1, description="The longest that an ignore may hold.")] = 365
    password_env: Annotated[
        str | None, Meta(description="The environment variable with the password of a login; never the password.")
    ] = None
    rules: Annotated[dict[str, Weight], Meta(description="By rule id: its severity here, or off.")] = {}
    domains: Annotated[dict[str, DomainTable], Meta(description="By domain: what is expected of it.")] = {}
    ignore: Annotated[tuple[IgnoreTable, ...], Meta(description="Findings that are accepted.")] = ()
