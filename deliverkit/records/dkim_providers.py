"""Who signs under which selectors, and how a domain shows that it uses them."""

from __future__ import annotations

from typing import Final

import msgspec


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A service that signs for its customers.

    `together` says that all of `selectors` are published at once. `mx` and `cname` are suffixes of names, `spf` are
    names that a domain includes.
    """

    name: str
    selectors: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    spf: tuple[str, ...] = ()
    cname: tuple[str, ...] = ()
    together: bool = False


def _provider(
    name: str, selectors: str, *, mx: str = "", spf: str = "", cname: str = "", together: bool = False
) -> Provider:
    return Provider(
        name=name,
        selectors=tuple(selectors.split()),
        mx=tuple(mx.split()),
        spf=tuple(spf.split()),
        cname=tuple(cname.split()),
        together=together,
    )


PROVIDERS: Final = (
    _provider("Google Workspace", "google", mx="google.com googlemail.com", spf="_spf.google.com"),
    _provider(
        "Microsoft 365",
        "selector1 selector2",
        mx="mail.protection.outlook.com mx.microsoft",
        spf="spf.protection.outlook.com",
        cname="onmicrosoft.com dkim.mail.microsoft",
        together=True,
    ),
    _provider("SendGrid", "s1 s2", spf="sendgrid.net", cname="sendgrid.net", together=True),
    _provider("Mailchimp", "k2 k3 k1", spf="servers.mcsv.net", cname="mcsv.net"),
    _provider("Mandrill", "mandrill mte1 mte2", spf="spf.mandrillapp.com", cname="mandrillapp.com"),
    _provider(
        "Fastmail",
        "fm1 fm2 fm3",
        mx="messagingengine.com",
        spf="spf.messagingengine.com",
        cname="fmhosted.com",
        together=True,
    ),
    _provider(
        "Proton Mail",
        "protonmail protonmail2 protonmail3",
        mx="protonmail.ch",
        spf="_spf.protonmail.ch",
        cname="proton.ch",
        together=True,
    ),
    _provider(
        "Zoho Mail",
        "zmail zoho",
        mx="zoho.com zoho.eu zoho.in zoho.com.au",
        spf="zoho.com zoho.eu zohomail.com one.zoho.com",
    ),
    _provider("Amazon SES", "amazonses", mx="amazonaws.com", spf="amazonses.com", cname="dkim.amazonses.com"),
    _provider("Resend", "resend", spf="_spf.resend.com"),
    _provider("Brevo", "brevo1 brevo2 mail", spf="spf.brevo.com spf.sendinblue.com", cname="brevo.com sendinblue.com"),
    _provider("Mailgun", "mx pic k1 mailo", mx="mailgun.org", spf="mailgun.org", cname="mailgun.org"),
    _provider("Postmark", "pm", spf="spf.mtasv.net", cname="mtasv.net"),
    _provider("Mailjet", "mailjet", spf="spf.mailjet.com", cname="mailjet.com"),
    _provider("HubSpot", "hs1 hs2", spf="spf.hubspotemail.net", cname="hubspotemail.net"),
    _provider("Zendesk", "zendesk1 zendesk2", spf="mail.zendesk.com", cname="zendesk.com", together=True),
    _provider("Klaviyo", "kl kl2", spf="spf.klaviyo.com", cname="klaviyo.com klaviyomail.com"),
    _provider("iCloud Mail", "sig1", mx="mail.icloud.com", spf="icloud.com", cname="icloudmailadmin.com"),
    _provider("Yandex", "mail", mx="yandex.net yandex.ru", spf="_spf.yandex.net _spf.yandex.ru"),
    _provider("Mimecast", "mimecast20190104 mimecast", mx="mimecast.com", spf="_netblocks.mimecast.com"),
    _provider("Proofpoint", "pp proofpoint", mx="pphosted.com ppe-hosted.com", spf="_spf.pphosted.com"),
    _provider("Titan", "titan1 titan2", mx="titan.email", spf="spf.titan.email"),
    _provider(
        "Hostinger",
        "hostingermail1 hostingermail-a hostingermail-b",
        mx="hostinger.com",
        spf="_spf.mail.hostinger.com",
        cname="dkim.mail.hostinger.com",
    ),
    _provider(
        "IONOS", "s1-ionos s2-ionos", mx="ionos.com ionos.de kundenserver.de", spf="_spf-eu.ionos.com _spf.perfora.net"
    ),
    _provider("OVHcloud", "ovhmo-selector-1 ovhex-selector-1", mx="ovh.net", spf="mx.ovh.com"),
    _provider("Gandi", "gm1 gm2 gm3", mx="mail.gandi.net", spf="_mailcust.gandi.net", cname="gm.gandimail.net"),
    _provider("Migadu", "key1 key2 key3", mx="migadu.com", spf="spf.migadu.com", cname="migadu.com", together=True),
    _provider(
        "Purelymail",
        "purelymail1 purelymail2 purelymail3",
        mx="purelymail.com",
        spf="_spf.purelymail.com",
        cname="purelymail.com",
        together=True,
    ),
    _provider("mailbox.org", "MBO0001 MBO0002 MBO0003", mx="mailbox.org", spf="mailbox.org", cname="mailbox.org"),
    _provider("Salesforce", "sf1 sf2", spf="_spf.salesforce.com", cname="custdkim.salesforce.com"),
    _provider("MailerSend", "mlsend mlsend2", spf="_spf.mailersend.net", cname="mailersend.net"),
    _provider("Seznam", "szn1 szn2 szn3", mx="seznam.cz", spf="spf.seznam.cz", cname="seznam.cz"),
    _provider("Namecheap Private Email", "default privateemail", mx="privateemail.com", spf="spf.privateemail.com"),
    _provider("Cloudflare Email Routing", "cf2024-1", mx="mx.cloudflare.net", spf="_spf.mx.cloudflare.net"),
    _provider("ForwardEmail", "fe", mx="forwardemail.net", spf="spf.forwardemail.net"),
)

COMMON: Final = (
    "default", "google", "selector1", "selector2", "k1", "k2", "s1", "s2", "mail", "dkim", "zmail", "resend", "fm1",
    "protonmail",
)  # fmt: skip
"""Selectors that are asked for whatever the domain looks like."""

MAX_GUESSES: Final = 20


def _under(name: str, suffixes: tuple[str, ...]) -> bool:
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in suffixes)


def used(mx: tuple[str, ...], includes: tuple[str, ...]) -> tuple[Provider, ...]:
    """The providers that a domain's mail hosts and SPF includes show, in the table's order."""
    return tuple(
        provider
        for provider in PROVIDERS
        if any(_under(host, provider.mx) for host in mx) or any(name in provider.spf for name in includes)
    )


def further(providers: tuple[Provider, ...]) -> tuple[str, ...]:
    """Selectors to guess beyond the common ones: the providers' turn by turn, so that none crowds out another."""
    longest = max((len(provider.selectors) for provider in providers), default=0)
    names = (p.selectors[n].lower() for n in range(longest) for p in providers if n < len(p.selectors))
    fresh = [name for name in dict.fromkeys(names) if name not in COMMON]
    return tuple(fresh[: MAX_GUESSES - len(COMMON)])


def provider_of(selector: str, aliases: tuple[str, ...], shown: tuple[Provider, ...]) -> Provider | None:
    """Whose a selector is: by where its CNAME leads, else by its name where the domain shows that it uses them."""
    for alias in aliases:
        for provider in PROVIDERS:
            if _under(alias, provider.cname):
                return provider
    owners = [provider for provider in shown if selector.lower() in map(str.lower, provider.selectors)]
    return owners[0] if owners else None
