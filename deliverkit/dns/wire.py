"""dnspython's rdata to ours."""

from __future__ import annotations

from typing import Any

import dns.rdata
import dns.rdatatype

from deliverkit.dns.port import normal_name
from deliverkit.model import Address, Host, Mx, Other, Rdata, Soa, Txt


def rdata_of(rdata: dns.rdata.Rdata) -> Rdata:
    """One record, typed where this tool reads its fields, else in presentation form."""
    typed: Any = rdata
    match dns.rdatatype.to_text(rdata.rdtype):
        case "TXT" | "SPF":
            return Txt(tuple(typed.strings))
        case "MX":
            return Mx(typed.preference, normal_name(typed.exchange.to_text()))
        case "A" | "AAAA":
            return Address(typed.address)
        case "CNAME" | "NS" | "PTR":
            return Host(normal_name(typed.target.to_text()))
        case "SOA":
            return Soa(
                normal_name(typed.mname.to_text()), normal_name(typed.rname.to_text()), typed.serial, typed.minimum
            )
        case _:
            return Other(rdata.to_text())
