"""`decode`: codes, classes, lines, providers' meanings, and what is told apart though it shares codes."""

from __future__ import annotations

import msgspec
import pytest

from deliverkit.replies import decode, provider_of, providers


@pytest.mark.parametrize(
    ("text", "category"),
    [
        # one code, many meanings: the words decide
        ("550 5.7.1 <a@example.net>: Relay access denied", "relay"),
        ("550 5.7.1 Message looks like spam to us", "content"),
        ("550 5.7.1 Client host [192.0.2.1] blocked using bl.example.net", "blocklist"),
        ("550 5.7.1 Your host has no PTR record", "ptr"),
        ("550 5.7.1 Helo command rejected: Host not found", "helo"),
        ("550 5.7.1 Your IP has a poor reputation", "reputation"),
        ("550 5.7.1 This mailbox only accepts mail from its own organisation", "recipient-blocked"),
        ("550 5.7.1 SPF check failed for 192.0.2.1", "auth-spf"),
        ("550 5.7.1 nothing to be learnt from this", "policy"),
        # what shares 450, 451 and 421
        ("450 4.7.1 Greylisted, please come back", "greylisting"),
        ("450 4.7.1 Too many connections from 192.0.2.1", "rate-limit"),
        ("450 4.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.net", "blocklist"),
        ("450 4.7.1 Client host rejected: cannot find your reverse hostname", "ptr"),
        ("451 4.7.1 Recipient address rejected: please try again in 300 seconds", "greylisting"),
        ("421 4.7.0 You send too fast, slow down", "rate-limit"),
        ("421 4.3.2 System is going down for maintenance", "remote-temporary"),
        ("451 4.4.3 DNS lookup failure", "network"),
        # a full mailbox and a large message share 552
        ("552 Mailbox of this user is full", "mailbox-full"),
        ("552 The message is too large", "size"),
        ("452 4.2.2 The account is over quota", "mailbox-full"),
        ("452 4.5.3 Too many recipients", "recipients-limit"),
        ("452 4.3.1 Insufficient system storage", "remote-temporary"),
        # codes that say enough
        ("550 5.1.1 x", "no-such-user"),
        ("550 5.1.10 x", "recipient-domain"),
        ("550 5.7.26 x", "auth-dmarc"),
        ("550 5.7.25 x", "ptr"),
        ("535 5.7.8 x", "smtp-auth"),
        ("554 5.4.6 x", "loop"),
        # other languages
        ("550 Benutzer unbekannt", "no-such-user"),
        ("550 Empfänger existiert nicht", "no-such-user"),
        ("552 Das Postfach ist voll", "mailbox-full"),
        ("550 Destinataire inconnu", "no-such-user"),
        ("552 La boîte du destinataire est pleine", "mailbox-full"),
        ("550 Utente non esiste", "no-such-user"),
        ("550 El usuario no existe", "no-such-user"),
        ("550 O usuário não existe", "no-such-user"),
        ("550 Użytkownik nieznany", "no-such-user"),
        ("550 用户不存在", "no-such-user"),
        ("451 Bitte später erneut versuchen", "remote-temporary"),
    ],
)
def test_the_words_decide_where_the_code_says_little(text: str, category: str) -> None:
    assert decode(text).category == category


@pytest.mark.parametrize(
    ("text", "slug", "category", "elsewhere"),
    [
        ("550 5.7.29 x", "gmail", "tls", "auth-any"),
        ("550 5.7.30 x", "gmail", "auth-dkim", "tls"),
        ("550 5.7.27 x", "gmail", "auth-spf", "sender-domain"),
        ("421 4.7.23 x", "gmail", "ptr", "auth-spf"),
        ("550 5.7.12 x", "microsoft", "recipient-blocked", "smtp-auth"),
        ("550 5.7.13 x", "microsoft", "recipient-blocked", "smtp-auth"),
        ("553 5.7.2 x", "yahoo", "reputation", "recipient-blocked"),
        ("550 Mailbox unavailable or access den", "qq", "rate-limit", "rate-limit"),
    ],
)
def test_a_provider_s_meaning_beats_the_registry(text: str, slug: str, category: str, elsewhere: str) -> None:
    assert decode(text, provider=slug).category == category
    assert decode(text).category == elsewhere


def test_all_lines_are_read_and_the_last_code_decides() -> None:
    decoded = decode("451-4.7.1 There is no reason to\r\n550-5.7.1 be sad: the mailbox\r\n550 5.1.1 does not exist\r\n")
    assert (decoded.code, decoded.enhanced, decoded.category) == (550, "5.1.1", "no-such-user")


def test_the_words_of_an_address_say_nothing() -> None:
    assert decode("550 5.1.1 <spam.virus@full.example>: no such user").category == "no-such-user"
    assert decode("450 4.2.0 <greylist@example.net>: mailbox is over quota").category == "mailbox-full"


def test_a_line_end_that_was_typed_is_one() -> None:
    assert decode(r"550-5.7.1 There is\n550 5.7.1 no PTR record").code == 550
    assert decode(r"550 C:\new\name is on a block list").category == "blocklist"


def test_words_split_across_lines_are_found() -> None:
    assert decode("550-5.7.1 This address is on a block\n550 5.7.1 list of ours").category == "blocklist"


def test_codes_that_disagree_are_both_shown_and_the_basic_one_decides() -> None:
    decoded = decode("550 4.2.2 The mailbox is full")
    assert decoded.class_ == "permanent"
    assert not decoded.retry
    assert decoded.disagreement is not None
    assert "550" in decoded.disagreement
    assert "4.2.2" in decoded.disagreement
    assert decode("550 5.2.2 The mailbox is full").disagreement is None


@pytest.mark.parametrize(
    ("text", "klass", "retry"),
    [
        ("250 2.0.0 Ok: queued as 1234", "success", False),
        ("354 Go ahead", "intermediate", False),
        ("334 VXNlcm5hbWU6", "intermediate", False),
        ("450 later", "temporary", True),
        ("552 5.2.2 full", "permanent", False),
        ("4.4.7 expired", "temporary", True),
        ("what is this", "unknown", False),
        ("", "unknown", False),
    ],
)
def test_the_class_alone_says_whether_to_try_again(text: str, klass: str, *, retry: bool) -> None:
    decoded = decode(text)
    assert (decoded.class_, decoded.retry) == (klass, retry)


@pytest.mark.parametrize("text", ["578 5.7.1 odd", "499 odd", "550 5.9.99 odd", "299 odd"])
def test_an_unknown_code_is_explained_by_its_class_and_said_to_be_unregistered(text: str) -> None:
    decoded = decode(text)
    assert not decoded.registered
    assert "not registered" in decoded.meaning


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("550 5.1.1 no such user", "sender"),
        ("550 5.7.25 no PTR", "hoster"),
        ("550 5.7.23 SPF failed", "dns-admin"),
        ("550 5.7.1 refused by the DMARC policy of example.com", "dns-admin"),
        ("550 5.7.1 From is not aligned with SPF or DKIM", "mail-admin"),
        ("552 5.2.2 mailbox full", "recipient"),
        ("450 greylisted", "nobody"),
        ("421 overloaded, try again later", "recipient-admin"),
    ],
)
def test_who_has_to_act(text: str, who: str) -> None:
    assert decode(text).who == who


@pytest.mark.parametrize(
    ("code", "stage", "category"),
    [
        ("550", "rcpt", "no-such-user"), ("550", "eod", "policy"), ("550", "ehlo", "helo"), ("501", "ehlo", "helo"),
        ("552", "rcpt", "mailbox-full"), ("552", "eod", "size"), ("553", "mail", "sender-rejected"),
        ("454", "starttls", "tls"), ("454", "auth", "smtp-auth"),
    ],
)  # fmt: skip
def test_a_bare_code_is_read_by_its_stage(code: str, stage: str, category: str) -> None:
    assert decode(code, stage=stage).category == category


def test_a_report_around_the_reply_tells_code_stage_and_words() -> None:
    decoded = decode(
        "host mx.example.net[192.0.2.7] said: 550 5.1.1 <a@example.net>: User unknown (in reply to RCPT TO command)"
    )
    assert (decoded.code, decoded.enhanced, decoded.stage, decoded.category) == (550, "5.1.1", "rcpt", "no-such-user")


def test_json_has_the_names_of_the_contract() -> None:
    keys = set(msgspec.to_builtins(decode("550 5.1.1 x")))
    assert keys >= {
        "input", "code", "enhanced", "class", "stage", "provider", "category", "detail", "meaning", "cause", "action",
        "who", "retry", "wait_s", "scope", "list", "ticket_url", "references",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("gmail-smtp-in.l.google.com", "gmail"),
        ("example-com.mail.protection.outlook.com.", "microsoft"),
        ("hotmail-com.olc.protection.outlook.com", "outlook"),
        ("MTA5.AM0.YAHOODNS.NET", "yahoo"),
        ("mx.example.net", None),
        ("notgoogle.com", None),
        ("", None),
    ],
)
def test_the_provider_is_told_by_the_host(host: str, slug: str | None) -> None:
    assert provider_of(host) == slug
    assert decode("550 5.5.0 x", host=host).provider == slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("550 5.1.1 No account - gsmtp", "gmail"),
        ("421 4.7.0 [TSS04] Messages from 192.0.2.1 deferred", "yahoo"),
        ("550 5.7.606 Access denied", "microsoft"),
        ("554 refused, see https://postmaster.gmx.net/x", "gmx"),
        ("550 5.1.1 user unknown", None),
    ],
)
def test_the_provider_is_told_by_the_text(text: str, slug: str | None) -> None:
    assert decode(text).provider == slug


def test_a_provider_goes_by_any_of_its_names() -> None:
    for name in ("gmail", "Gmail", "Google", "google workspace"):
        assert decode("550 x", provider=name).provider == "gmail"
    assert decode("550 x", provider="nobody we know").provider is None


def test_providers_have_slugs_and_names() -> None:
    known = providers()
    assert len(known) >= 45
    assert all(one.slug == one.slug.lower() and one.slug.isalnum() and one.name for one in known)
    assert len({suffix for one in known for suffix in one.hosts}) == sum(len(one.hosts) for one in known)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("550-Requested action not taken: mailbox unavailable\r\n550 Reject due to SPF policy; web.de", "auth-spf"),
        ("550 5.2.1 The mailbox is blocked because of long inactivity", "recipient-disabled"),
        ("550 A bare <LF> was received", "message-format"),
        ("4.4.2 lost connection with mx.example.net[192.0.2.3] while sending end of data", "network"),
        ("550 5.5.2 Invalid end of data sequence", "message-format"),
    ],
)
def test_what_one_word_of_the_text_would_mislead_about(text: str, category: str) -> None:
    assert decode(text).category == category
