"""What an example asks, from its directive line."""

from __future__ import annotations

from deliverkit.records.certificate import read_certificate
from deliverkit.runs.example import NOW, example_inputs
from deliverkit.runs.options import SESSION_AREAS

SECTIONS = "[smtp mail.example.com:587]\n[smtp mail.example.com:465]\n[smtp mx.example.net:25]\n"


def asked(directive: str = "", area: str = "tls", sections: str = SECTIONS):
    inputs = example_inputs(f"; check {directive}\n{sections}" if directive else sections, area)
    return inputs, inputs.sessions


def test_an_example_about_sessions_dials_the_ports_that_are_there():
    inputs, sessions = asked()
    assert (inputs.domain, inputs.areas) == ("mail.example.com", SESSION_AREAS)
    assert sessions is not None
    assert (sessions.ports, sessions.by_mx, sessions.user) == ((465, 587), False, None)


def test_all_words_about_sessions():
    inputs, sessions = asked(
        "mx.example.net --port 25 --port 2525 --user alice --mechanism plain --relay-test a@b.test --tls starttls "
        "--helo h.test --insecure-auth --tls-scan --as-mx-of example.net --expect-certificate mx.example.net:25"
    )
    assert sessions is not None
    assert (inputs.domain, sessions.ports) == ("mx.example.net", (25, 2525))
    assert (sessions.user, sessions.mechanism, sessions.insecure_auth) == ("alice", "plain", True)
    assert (sessions.relay_to, sessions.tls, sessions.helo) == ("a@b.test", "starttls", "h.test")
    assert (sessions.tls_scan, sessions.as_mx_of) == (True, "example.net")
    assert sessions.certificate is not None
    assert read_certificate(sessions.certificate).names == ("mx.example.net",)


def test_by_mx_the_target_is_a_domain():
    inputs, sessions = asked("--mx")
    assert sessions is not None
    assert (inputs.domain, sessions.by_mx, sessions.ports) == ("example.com", True, (25,))


def test_in_other_areas_the_word_names_what_is_expected():
    inputs, sessions = asked("example.com --mx mx1.example.com,mx2.example.com", "mx")
    assert sessions is None
    assert (inputs.areas, inputs.expected.mx) == (("mx",), ("mx1.example.com", "mx2.example.com"))


def test_other_areas_may_ask_for_sessions():
    inputs, sessions = asked("example.com --by-mx --areas mta-sts,tls", "mta-sts")
    assert sessions is not None
    assert sessions.by_mx
    assert inputs.areas == ("mta-sts", "tls")


def test_a_policy_that_is_not_published_yet():
    inputs, _ = asked("example.com --policy", "mta-sts", "[https mta-sts.example.com]\nbody\n  version: STSv1\n")
    assert inputs.policy == b"version: STSv1\r\n"


def test_now_is_what_it_was():
    assert NOW == 1_800_000_000.0


def test_a_delivery_is_from_the_domains_own_server_unless_it_says_otherwise():
    inputs, sessions = asked(area="delivery")
    assert sessions is None
    assert inputs.delivery is not None
    assert (inputs.delivery.sender, inputs.delivery.sources) == ("me@example.com", ("192.0.2.25",))
    assert (inputs.delivery.helo, inputs.delivery.signatures) == ("mail.example.com", ())


def test_all_words_about_a_delivery():
    key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    inputs, _ = asked(
        "--from example.org --sender <> --ip 192.0.2.9 --ip 2001:db8::9\n"
        f"; check --helo h.test --login smtp.test --signature s1@a.test={key} --signature s2@b.test",
        "delivery",
    )
    delivery = inputs.delivery
    assert delivery is not None
    assert (inputs.domain, delivery.from_domain, delivery.sender, delivery.sender_domain) == (
        "example.org", "example.org", "", None,
    )  # fmt: skip
    assert (delivery.sources, delivery.helo) == (("192.0.2.9", "2001:db8::9"), "h.test")
    assert (delivery.authenticated, delivery.server) == (True, "smtp.test")
    assert [(one.domain, one.selector, one.key is not None) for one in delivery.signatures] == [
        ("a.test", "s1", True),
        ("b.test", "s2", False),
    ]
