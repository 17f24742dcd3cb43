"""The listeners of Postfix, each with options of its own, and what they ask."""

from __future__ import annotations

_TLS = "smtpd_tls_security_level=may"
_SASL = "smtpd_sasl_auth_enable=yes"
_OLD = "tls_medium_cipherlist=ALL:COMPLEMENTOFALL:@SECLEVEL=0"
_OPEN = ("mynetworks=127.0.0.0/8", "smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination")
LOCAL = ("alice", "bob", "later")
"""Who has a mailbox at DOMAIN, where a server looks."""
_KNOWN = f"local_recipient_maps=inline:{{ {', '.join(f'{name}=x' for name in LOCAL)} }}"
_LATER = "smtpd_recipient_restrictions=check_recipient_access inline:{ {later@example.com=450 4.7.1 Come back later} }"
_SMALL = "message_size_limit=3000"
_GREY = "smtpd_recipient_restrictions=check_policy_service inet:127.0.0.1:{greylist}"
_CLEAR = ("smtpd_tls_auth_only=no", "smtpd_sasl_security_options=noanonymous")
SERVICES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mx": ("good", "127.0.0.1", (_TLS,)),
    "submission": ("good", "127.0.0.1", ("smtpd_tls_security_level=encrypt", _SASL)),
    "smtps": ("good", "127.0.0.1", ("smtpd_tls_wrappermode=yes", _TLS, _SASL)),
    "alternative": ("rsa", "127.0.0.1", (_TLS, _SASL, *_CLEAR)),
    "mx6": ("good", "[::1]", (_TLS,)),
    "submission6": ("good", "[::1]", ("smtpd_tls_security_level=encrypt", _SASL)),
    "clear": ("good", "127.0.0.1", ()),
    "expired": ("expired", "127.0.0.1", (_TLS,)),
    "early": ("early", "127.0.0.1", (_TLS,)),
    "wrongname": ("wrongname", "127.0.0.1", (_TLS,)),
    "selfsigned": ("selfsigned", "127.0.0.1", (_TLS,)),
    "incomplete": ("incomplete", "127.0.0.1", (_TLS,)),
    "named": ("wrongname", "127.0.0.1", (_TLS, "tls_server_sni_maps=hash:{folder}/sni")),
    "asks": ("good", "127.0.0.1", (_TLS, "smtpd_tls_ask_ccert=yes")),
    "old": ("rsa", "127.0.0.1", (_TLS, "smtpd_tls_protocols=>=TLSv1 <=TLSv1.1", _OLD, "smtpd_tls_ciphers=medium")),
    "modern": ("good", "127.0.0.1", (_TLS, "smtpd_tls_protocols=>=TLSv1.2")),
    "tls12": ("good", "127.0.0.1", (_TLS, "smtpd_tls_protocols=TLSv1.2")),
    "tls13": ("good", "127.0.0.1", (_TLS, "smtpd_tls_protocols=TLSv1.3")),
    "rejects": ("good", "127.0.0.1", (_TLS, "smtpd_delay_reject=no", "smtpd_client_restrictions=reject")),
    "defers": ("good", "127.0.0.1", (_TLS, "smtpd_delay_reject=no", "smtpd_client_restrictions=defer")),
    "relays": ("good", "127.0.0.1", (_TLS, *_OPEN)),
    "plain": ("good", "127.0.0.1", (_TLS, "smtpd_discard_ehlo_keywords=pipelining,dsn,chunking,smtputf8,size")),
    "judges": ("good", "127.0.0.1", (_TLS, _KNOWN, _LATER)),
    "small": ("good", "127.0.0.1", (_TLS, _SMALL)),
    "silent": ("good", "127.0.0.1", (_TLS, _SMALL, "smtpd_discard_ehlo_keywords=size")),
    "verifies": ("good", "127.0.0.1", (_TLS, "smtpd_milters=inet:127.0.0.1:{milter}")),
    "greylists": ("good", "127.0.0.1", (_TLS, _GREY)),
}  # fmt: skip
"""By label: the certificate, the address, and options of that listener."""
BEHIND = ("milter", "greylist")
"""What listeners ask, each on a port of its own: a test that needs it starts it there."""
