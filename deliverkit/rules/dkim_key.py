"""Rules of area `dkim`: how strong a key is, and whose."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dkim import SelectorFacts
from deliverkit.model import Finding, NotApplicable, Severity
from deliverkit.records.dkim_key import Key
from deliverkit.rules.declare import rule
from deliverkit.rules.dkim_finding import about, change, published

_NEVER = 1024
_RECOMMENDED = 2048
_MOST = 4096
_EXPONENT = 0x7FFF_FFFF
_LEAST_EXPONENT = 3


def _rsa(selector: SelectorFacts) -> Key | None:
    """The RSA key, None where it is of another type."""
    record = published(selector)
    if record.key is None or record.key.problem is not None or record.key.bits is None:
        raise NotApplicable("no key that can be loaded")
    return record.key if record.key.kind == "rsa" else None


@rule(Severity.ERROR, "RFC 8301 §3.2")
def dkim_key_too_short(selector: SelectorFacts) -> Iterator[Finding]:
    """The RSA key has less than 1024 bits.

    Receivers must not accept signatures by such keys: they can be broken by anybody within hours.

    ## Fix
    Make a key of 2048 bits, publish it under a new selector, and sign with that.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhANOUakw7adNdDCdscr6NqMgyzjP3CZ3Q/8"
            "+w4plkHfyv0W3lSK+IJSabNdatQ8yehNqK43+1Vf+0uNfKIaxSG4FJjtltBxaTSbNkvZFekJ3Dy4gWTsUpE9"
            "N1G1B4ZhceFQIDAQAB" )

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+bXUA2GxMrlgM6rko+71oVR1Dd5HxmfFMQf6BHANDdoApZvRdi0h9dK1TLLdsEMiihKFQxUqOWr1tiR18/P"
            "ILEsp5z48mAeOT1mNjUYlFliXVDl2KXpMGMvoZkSAgzEprHlf8EiM0Qm7Uo9rp+3OVvwIDAQAB" )
    """
    key = _rsa(selector)
    if key is not None and key.bits is not None and key.bits < _NEVER:
        yield about(
            selector,
            f"The RSA key of {selector.selector} has {key.bits} bits: receivers do not accept less than 1024",
            fix=change(selector, "Make a key of 2048 bits, publish it under a new selector, and sign with that.", None),
        )


@rule(Severity.NOTICE, "RFC 8301 §3.2")
def dkim_key_below_recommended(selector: SelectorFacts) -> Iterator[Finding]:
    """The RSA key has at least 1024 bits, but less than the recommended 2048.

    Receivers accept it today. Signers should use 2048 bits.

    ## Fix
    At the next rotation make a key of 2048 bits.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDEllUxCcOFIIHKaywngNOj0GXr6Z"
            "7ANFJEGO2tvdJFk5ebsY+qAJCSxUeW+uFrUftx9uv6c4OhJXYZ85j67V7eoz+AlicQYz2Vlk9kzNtGn5nhIT"
            "rcWL70rCEmcWY0TNNrPlx2zHG0bZvB4x49DopCqJlUFgSggJCLyBpPf5b48QIDAQAB" )

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+bXUA2GxMrlgM6rko+71oVR1Dd5HxmfFMQf6BHANDdoApZvRdi0h9dK1TLLdsEMiihKFQxUqOWr1tiR18/P"
            "ILEsp5z48mAeOT1mNjUYlFliXVDl2KXpMGMvoZkSAgzEprHlf8EiM0Qm7Uo9rp+3OVvwIDAQAB" )
    """
    key = _rsa(selector)
    if key is not None and key.bits is not None and _NEVER <= key.bits < _RECOMMENDED:
        yield about(
            selector,
            f"The RSA key of {selector.selector} has {key.bits} bits; 2048 are recommended",
            fix=change(selector, "At the next rotation make a key of 2048 bits.", None),
        )


@rule(Severity.WARNING, "RFC 8301 §3.2")
def dkim_key_too_long(selector: SelectorFacts) -> Iterator[Finding]:
    """The RSA key has more than 4096 bits.

    Receivers must be able to verify keys up to 4096 bits; many refuse longer ones, and the record may not fit into
    one answer.

    ## Fix
    Make a key of 2048 bits.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIICQjANBgkqhkiG9w0BAQEFAAOCAi8AMIICKgKCAiEAg/BrUvIKsWv6sxJeTnee20"
            "v+zMnczWVHq3Gp+/bvGhrBh0nlPgDmkUgBGRbezAuB/9jcZ7DfJiqZp4swZtHEWplR5uoubDjQjO9gk2eNpu"
            "Bm/hSNYz/MqS7LjvJxuLhB9Y1yCHCYsmCCHYibdwvlWnWs+S9BaA/GSOljFwpte6rJTsxWOED2Nin+aQXs84"
            "xx/S5gQkU8d99yad70ozleS93lEhgZzdnlAlbzfraLCymQTf2tXXJMp1x1oVP3dEBKHWOp39FyeiqkRZXtOp"
            "4uWysGDA1fypJ+eqZI3ix5ZFoNQPZhcGugh0lWcgi39ktaDxlAHSOkkgZO0Dhc/P5Vq8QpX+6kOQWOUxR+kq"
            "H61WOEFbcTSpbooSpFFTY4ebXdHfV7Nf9WvvFMmgfl29AO6VfUNnT0Wr7DFsKpR+i36n/xNeg2U/hkUKZ9DE"
            "8iUwJwWvjRgTGeWWSRF7ahnsKFVVDVH8QDQufLRjBggBVe+hXmHGetrFGa0zASLUhAp53ef4rREP/mQ1J7QC"
            "rUvyxcn/SZ3+SWTygrVVpYJaST/FbSV81dZBNLmXGwm0q3npam1Wd2S19nubzISwrB+SEBkHS4wfSV6hK2fq"
            "YvO2OaQ284g0IYdFImNurcxdyFeR4nAHCdSGMfdZV4iSu6uAJqzVDJAwygoqJyp3yLBDfTRyi8U+t/YSAMDm"
            "NYbZqGig29kYKNdwUU9WRTZazyqgozEQIDAQAB" )

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+bXUA2GxMrlgM6rko+71oVR1Dd5HxmfFMQf6BHANDdoApZvRdi0h9dK1TLLdsEMiihKFQxUqOWr1tiR18/P"
            "ILEsp5z48mAeOT1mNjUYlFliXVDl2KXpMGMvoZkSAgzEprHlf8EiM0Qm7Uo9rp+3OVvwIDAQAB" )
    """
    key = _rsa(selector)
    if key is not None and key.bits is not None and key.bits > _MOST:
        yield about(
            selector,
            f"The RSA key of {selector.selector} has {key.bits} bits: many receivers refuse more than 4096",
            fix=change(selector, "Make a key of 2048 bits, publish it under a new selector, and sign with that.", None),
        )


@rule(Severity.ERROR, "RFC 8017 §3.1")
def dkim_exponent_weak(selector: SelectorFacts) -> Iterator[Finding]:
    """The RSA key's public exponent is unusable.

    With an exponent of one, or an even one, the key proves nothing or cannot exist; beyond 31 bits several receivers'
    libraries refuse it. Everybody uses 65537.

    ## Fix
    Make a new key with the usual exponent, 65537.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIDANBgkqhkiG9w0BAQEFAAOCAQ0AMIIBCAKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+bXUA2GxMrlgM6rko+71oVR1Dd5HxmfFMQf6BHANDdoApZvRdi0h9dK1TLLdsEMiihKFQxUqOWr1tiR18/P"
            "ILEsp5z48mAeOT1mNjUYlFliXVDl2KXpMGMvoZkSAgzEprHlf8EiM0Qm7Uo9rp+3OVvwIBAQ==" )

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+bXUA2GxMrlgM6rko+71oVR1Dd5HxmfFMQf6BHANDdoApZvRdi0h9dK1TLLdsEMiihKFQxUqOWr1tiR18/P"
            "ILEsp5z48mAeOT1mNjUYlFliXVDl2KXpMGMvoZkSAgzEprHlf8EiM0Qm7Uo9rp+3OVvwIDAQAB" )
    """
    key = _rsa(selector)
    if key is None or key.exponent is None:
        return
    step = change(selector, "Make a new key with the usual exponent, 65537.", None)
    if key.exponent < _LEAST_EXPONENT or key.exponent % 2 == 0:
        yield about(
            selector,
            f"The RSA key of {selector.selector} has a public exponent that no sound key has: "
            "its signatures prove nothing",
            fix=step,
        )
    elif key.exponent > _EXPONENT:
        yield about(
            selector,
            f"The RSA key of {selector.selector} has a very large public exponent: several receivers refuse it",
            fix=step,
            severity=Severity.WARNING,
        )


@rule(Severity.ERROR, "RFC 6376 §3.6.1", "RFC 6376 §6.1.3")
def dkim_key_mismatch(selector: SelectorFacts) -> Iterator[Finding]:
    """The published key is not the one that signs.

    The public half of the key file that was given differs from what is published at the selector: every signature
    made with that file fails.

    ## Fix
    Publish the public half of the key in use, or sign with the key that is published.

    ## Bad
        ; check example.com --selector s1 --key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="

    ## Good
        ; check example.com --selector s1 --key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if selector.given is None:
        raise NotApplicable("no key was given to compare with")
    record = published(selector)
    if record.key is None or not record.key.identity:
        raise NotApplicable("no key that can be loaded")
    if record.key.identity != selector.given.identity:
        after = f"v=DKIM1; k={selector.given.kind}; p={selector.given.proper}" if selector.given.proper else None
        yield about(
            selector,
            f"The key published for {selector.selector} is not the one given: signatures made with it fail",
            fix=change(selector, "Publish the public half of the key that signs.", after),
        )
