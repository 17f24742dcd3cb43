"""Rules of area `dns`: wildcards that answer for any name."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dns import DnsFacts
from deliverkit.model import Exhibit, Finding, Fix, Severity, known
from deliverkit.rules.declare import rule


def _denies(text: str) -> bool:
    """A record by which a wildcard says no: an SPF that lets nobody send, a DKIM key that is revoked."""
    words = text.lower().replace(" ", "").rstrip(";")
    return words in {"v=spf1-all", "v=dkim1;p="} or words.startswith("v=dmarc1;p=reject")


@rule(Severity.NOTICE, "RFC 4592 §2", "RFC 7208 §3.5")
def dns_wildcard_txt(dns: DnsFacts) -> Iterator[Finding]:
    """A wildcard answers TXT questions for any name below the domain.

    The record turns up where other records are expected (`_dmarc`, `_domainkey`, a host's SPF), and lets names
    that do not exist send mail. Wildcards that only deny, such as `v=spf1 -all`, are good practice and pass.

    ## Fix
    Publish the record at the names that need it, and delete the wildcard.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        *      TXT   "v=spf1 ip4:192.0.2.0/24 -all"
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        *      TXT   "v=spf1 -all"
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    texts = [text for text in known(dns.wildcard_txt) or () if not _denies(text)]
    if texts:
        yield Finding(
            message="a wildcard answers TXT questions for any name below the domain",
            subject=f"*.{dns.domain}",
            evidence=tuple(Exhibit(text=text, title=f"*.{dns.domain} TXT") for text in texts[:8]),
            fix=Fix(
                text="Publish the record at the names that need it, and delete the wildcard.",
                name=f"*.{dns.domain}",
                rdtype="TXT",
                before=texts[0],
            ),
        )


@rule(Severity.NOTICE, "RFC 4592 §2", "RFC 5321 §5.1")
def dns_wildcard_mx(dns: DnsFacts) -> Iterator[Finding]:
    """A wildcard accepts mail for any name below the domain.

    Mail to every mistyped or invented subdomain is brought to your server, which must refuse or store it.
    Spammers find such domains. A wildcard with the null MX is good practice and passes.

    ## Fix
    Publish MX records at the subdomains that take mail, and delete the wildcard.

    ## Bad
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        *      MX    10 mx1
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1

    ## Good
        ; check example.com --areas mx,dns
        $ORIGIN example.com.
        @      MX    10 mx1
        *      MX    0 .
        mx1    A     192.0.2.1
        mx1    A     192.0.2.2
        mx1    AAAA  2001:db8::1
    """
    records = [(preference, host) for preference, host in known(dns.wildcard_mx) or () if host]
    if records:
        yield Finding(
            message="a wildcard takes mail for any name below the domain, also for names that do not exist",
            subject=f"*.{dns.domain}",
            evidence=tuple(Exhibit(text=f"{p} {host}.", title=f"*.{dns.domain} MX") for p, host in records[:8]),
            fix=Fix(
                text="Publish MX records at the subdomains that take mail, and delete the wildcard.",
                name=f"*.{dns.domain}",
                rdtype="MX",
                before=f"{records[0][0]} {records[0][1]}.",
            ),
        )
