"""Who runs a mail host, told by its name: data, and one look-up.

Suffixes come from what the providers tell their customers to publish.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec


class MxKind(enum.StrEnum):
    """What a provider does with the mail it takes."""

    MAILBOX = "mailbox"
    GATEWAY = "gateway"  # filters, then hands on to a mailbox host
    FORWARDER = "forwarder"
    RETIRED = "retired"  # the service was shut down


class MxProvider(msgspec.Struct, frozen=True):
    """A provider. `redundant`: one host name of it stands for many machines."""

    name: str
    kind: MxKind
    redundant: bool = True


_GOOGLE: Final = MxProvider("Google Workspace", MxKind.MAILBOX)
_MICROSOFT: Final = MxProvider("Microsoft 365", MxKind.MAILBOX)
_MIMECAST: Final = MxProvider("Mimecast", MxKind.GATEWAY)
_PROOFPOINT: Final = MxProvider("Proofpoint", MxKind.GATEWAY)
_BARRACUDA: Final = MxProvider("Barracuda", MxKind.GATEWAY)
_CISCO: Final = MxProvider("Cisco Secure Email", MxKind.GATEWAY)
_SYMANTEC: Final = MxProvider("Symantec Email Security.cloud", MxKind.GATEWAY)
_SOPHOS: Final = MxProvider("Sophos Email", MxKind.GATEWAY)
_TREND: Final = MxProvider("Trend Micro", MxKind.GATEWAY)
_HORNET: Final = MxProvider("Hornetsecurity", MxKind.GATEWAY)
_ZOHO: Final = MxProvider("Zoho Mail", MxKind.MAILBOX)
_FASTMAIL: Final = MxProvider("Fastmail", MxKind.MAILBOX)
_YANDEX: Final = MxProvider("Yandex", MxKind.MAILBOX)
_IONOS: Final = MxProvider("IONOS", MxKind.MAILBOX)
_OVH: Final = MxProvider("OVHcloud", MxKind.MAILBOX)
_RACKSPACE: Final = MxProvider("Rackspace Email", MxKind.MAILBOX)

_GODADDY: Final = MxProvider("GoDaddy", MxKind.MAILBOX)
_AMAZON: Final = MxProvider("Amazon SES", MxKind.FORWARDER)

_SUFFIXES: Final[dict[str, MxProvider]] = {
    "google.com": _GOOGLE,
    "googlemail.com": _GOOGLE,
    "mail.protection.outlook.com": _MICROSOFT,
    "mx.microsoft": _MICROSOFT,
    "mail.protection.partner.outlook.cn": MxProvider("Microsoft 365 (21Vianet)", MxKind.MAILBOX),
    "olc.protection.outlook.com": MxProvider("Outlook.com", MxKind.MAILBOX),
    "yahoodns.net": MxProvider("Yahoo", MxKind.MAILBOX),
    "protonmail.ch": MxProvider("Proton Mail", MxKind.MAILBOX),
    "zoho.com": _ZOHO,
    "zoho.eu": _ZOHO,
    "zoho.in": _ZOHO,
    "zoho.com.au": _ZOHO,
    "zoho.jp": _ZOHO,
    "zohocloud.ca": _ZOHO,
    "messagingengine.com": _FASTMAIL,
    "mail.icloud.com": MxProvider("iCloud Mail", MxKind.MAILBOX),
    "mx.yandex.net": _YANDEX,
    "mx.yandex.ru": _YANDEX,
    "mail.ru": MxProvider("Mail.ru", MxKind.MAILBOX),
    "mimecast.com": _MIMECAST,
    "mimecast.co.za": _MIMECAST,
    "mimecast-offshore.com": _MIMECAST,
    "pphosted.com": _PROOFPOINT,
    "ppe-hosted.com": MxProvider("Proofpoint Essentials", MxKind.GATEWAY),
    "barracudanetworks.com": _BARRACUDA,
    "iphmx.com": _CISCO,
    "messagelabs.com": _SYMANTEC,
    "hydra.sophos.com": _SOPHOS,
    "reflexion.net": _SOPHOS,
    "trendmicro.com": _TREND,
    "trendmicro.eu": _TREND,
    "hornetsecurity.com": _HORNET,
    "antispameurope.com": _HORNET,
    "spamexperts.com": MxProvider("SpamExperts", MxKind.GATEWAY),
    "mailcontrol.com": MxProvider("Forcepoint", MxKind.GATEWAY),
    "fireeyecloud.com": MxProvider("Trellix Email Security", MxKind.GATEWAY),
    "mailspamprotection.com": MxProvider("SiteGround", MxKind.GATEWAY),
    "mx.cloudflare.net": MxProvider("Cloudflare Email Routing", MxKind.FORWARDER),
    "improvmx.com": MxProvider("ImprovMX", MxKind.FORWARDER),
    "forwardemail.net": MxProvider("Forward Email", MxKind.FORWARDER),
    "registrar-servers.com": MxProvider("Namecheap forwarding", MxKind.FORWARDER),
    "privateemail.com": MxProvider("Namecheap Private Email", MxKind.MAILBOX),
    "awsapps.com": MxProvider("Amazon WorkMail", MxKind.MAILBOX),
    "mail.ovh.net": _OVH,
    "mail.ovh.ca": _OVH,
    "mx0.ovh.net": _OVH,
    "mx1.ovh.net": _OVH,
    "mx2.ovh.net": _OVH,
    "mx3.ovh.net": _OVH,
    "mx4.ovh.net": _OVH,
    "kundenserver.de": _IONOS,
    "ionos.com": _IONOS,
    "ionos.co.uk": _IONOS,
    "ionos.de": _IONOS,
    "1and1.com": _IONOS,
    "1and1.co.uk": _IONOS,
    "emailsrvr.com": _RACKSPACE,
    "smtp.secureserver.net": _GODADDY,
    "mailstore1.secureserver.net": _GODADDY,
    "mail.gandi.net": MxProvider("Gandi", MxKind.MAILBOX),
    "hostinger.com": MxProvider("Hostinger", MxKind.MAILBOX),
    "titan.email": MxProvider("Titan", MxKind.MAILBOX),
    "migadu.com": MxProvider("Migadu", MxKind.MAILBOX),
    "mailbox.org": MxProvider("mailbox.org", MxKind.MAILBOX),
    "posteo.de": MxProvider("Posteo", MxKind.MAILBOX),
    "tutanota.de": MxProvider("Tuta", MxKind.MAILBOX),
    "runbox.com": MxProvider("Runbox", MxKind.MAILBOX),
    "infomaniak.ch": MxProvider("Infomaniak", MxKind.MAILBOX),
    "mail.hostpoint.ch": MxProvider("Hostpoint", MxKind.MAILBOX),
    "mailgun.org": MxProvider("Mailgun", MxKind.FORWARDER),
    "mx.sendgrid.net": MxProvider("SendGrid", MxKind.FORWARDER),
    "qq.com": MxProvider("Tencent Exmail", MxKind.MAILBOX),
    "mxhichina.com": MxProvider("Alibaba Mail", MxKind.MAILBOX),
    "psmtp.com": MxProvider("Postini", MxKind.RETIRED),  # closed in 2015
    "mxlogic.net": MxProvider("McAfee SaaS Email Protection", MxKind.RETIRED),  # closed in 2017
    "pamx1.hotmail.com": MxProvider("Windows Live Custom Domains", MxKind.RETIRED),  # closed in 2014
}


def mx_provider(host: str) -> MxProvider | None:
    """The provider of a mail host (normal name), None where the name does not say."""
    if host.startswith("inbound-smtp.") and host.endswith(".amazonaws.com"):
        return _AMAZON  # the region stands between; other names below are customers' own machines
    name = host
    while name:
        if provider := _SUFFIXES.get(name):
            return provider
        name = name.partition(".")[2]
    return None
