"""What is taken, what is refused, and with which line."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.config import ConfigError, Ignore
from deliverkit.config.read import load
from deliverkit.config.sample import sampled
from deliverkit.config.secret import is_secret_key, looks_secret
from deliverkit.config.shown import HIDDEN, settings_of
from deliverkit.model import shown
from deliverkit.model.location import Location

WHOLE = """\
schema = 1
fail_on = "warning"
inconclusive = { default = "report", blocklist = "pass" }
resolvers = ["system", "192.0.2.53#5353", "tls://192.0.2.54", "https://dns.example/dns-query", "authoritative"]
baseline = "state/baseline.json"
max_ignore_days = 30
password_env = "SMTP_PASSWORD"

[rules]
"dmarc-policy-none" = "off"
spf-missing = "notice"

[domains."Example.COM."]
dkim_selectors = ["S1", "google", "s1"]
senders = ["203.0.113.10", "203.0.113.0/28", "2001:DB8::1"]
mx = ["MX.example.com."]
mta_sts = "enforce"
dmarc = "reject"
zone = "zones/example.com.zone"
requirements = ["google", "yahoo"]
[domains."Example.COM.".dkim_cnames]
s1 = "s1.vendor.example"

[domains."bücher.example"]
role = "parked"
mx = []

[[ignore]]
rule = "dmarc"
domain = "*.news.example.com"
reason = " OPS-412 "
expires = 2027-01-31
[[ignore]]
rule = "spf-missing"
expires = "2027-02-01"
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes a configuration into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="deliverkit.toml"):
        path = Path(name)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_whole_file(file):
    config = load(file(WHOLE))
    assert (config.path, config.fail_on, config.max_ignore_days) == ("deliverkit.toml", "warning", 30)
    assert config.inconclusive == {"default": "report", "blocklist": "pass"}
    assert config.resolvers[0] == "system"
    assert config.resolvers[-1] == "authoritative"
    assert (config.baseline, config.password_env) == ("state/baseline.json", "SMTP_PASSWORD")
    assert config.rules == {"dmarc-policy-none": "off", "spf-missing": "notice"}
    entry = config.domains["example.com"]
    assert entry.dkim_selectors == ("s1", "google")
    assert entry.senders == ("203.0.113.10", "203.0.113.0/28", "2001:db8::1")
    assert (entry.mx, entry.mta_sts, entry.dmarc, entry.role) == (("mx.example.com",), "enforce", "reject", None)
    assert entry.dkim_cnames == {"s1": "s1.vendor.example"}
    assert entry.requirements == ("google", "yahoo")
    assert entry.zone == "zones/example.com.zone"
    parked = config.domains["xn--bcher-kva.example"]
    assert (parked.role, parked.mx) == ("parked", ())
    assert config.where("example.com") == Location(path="deliverkit.toml", line=13)
    assert config.where("other.example") == Location(path="deliverkit.toml", line=1)
    assert config.ignores == (
        Ignore(
            rule="dmarc", domain="*.news.example.com", reason="OPS-412", expires=dt.date(2027, 1, 31),
            path="deliverkit.toml", line=28,
        ),
        Ignore(rule="spf-missing", expires=dt.date(2027, 2, 1), path="deliverkit.toml", line=33),
    )  # fmt: skip


@pytest.mark.parametrize(
    "form", [lambda text: b"\xef\xbb\xbf" + text.encode(), lambda text: text.replace("\n", "\r\n").encode()]
)
def test_a_mark_and_other_line_ends(file, form):
    config = load(file(form(WHOLE)))
    assert config.where("example.com").line == 13
    assert config.ignores[1].line == 33


def test_the_table_of_a_pyproject(file):
    text = "[project]\nname = 'x'\n\n[tool.deliverkit]\nfail_on = 'never'\n[tool.deliverkit.domains.'a.example']\n"
    config = load(file(text, "pyproject.toml"))
    assert config.fail_on == "never"
    assert config.where("a.example") == Location(path="pyproject.toml", line=6)
    assert config.where("b.example") == Location(path="pyproject.toml", line=4)
    assert "pyproject.toml:5: unknown key: x" in refused(file(text.replace("fail_on", "x"), "pyproject.toml"))
    assert "[tool.deliverkit]" in refused(file("[tool.other]\n", "pyproject.toml"))


def test_paths_are_relative_to_the_file(file, tmp_path, monkeypatch):
    file(WHOLE)
    below = tmp_path / "sub"
    below.mkdir()
    monkeypatch.chdir(below)
    config = load(tmp_path / "deliverkit.toml")
    assert config.path == "../deliverkit.toml"
    assert (config.baseline, config.domains["example.com"].zone) == (
        "../state/baseline.json",
        "../zones/example.com.zone",
    )


REFUSED = [
    ("schema = 1\n\nfail-on = 'error'\n", 3, "unknown key: fail-on (did you mean fail_on?)"),
    ("schema = 2\n", 1, "schema = 1"),
    ("schema = '1'\n", 1, "found a string"),
    ("schema = true\n", 1, "found true or false"),
    ("fail_on = 'fatal'\n", 1, 'fail_on: "fatal": expected error, warning, notice or never'),
    ("fail_on = 1\n", 1, "found a number"),
    ("fail_on = 'warnin'\n", 1, "did you mean warning?"),
    ("inconclusive = { spff = 'pass' }\n", 1, "inconclusive.spff: no such area (did you mean spf?)"),
    ("inconclusive = { spf = 'maybe' }\n", 1, "expected report, pass or fail"),
    ("inconclusive = 3\n", 1, "found a number"),
    ("resolvers = 'system'\n", 1, "expected an array, found a string"),
    ("resolvers = [\n 'system',\n '192.0.2.53#99999999999',\n]\n", 3, "is no port"),
    ("resolvers = ['nowhere']\n", 1, "resolvers"),
    ("resolvers = [1]\n", 1, "expected a string"),
    ("baseline = ''\n", 1, "is empty"),
    ('baseline = "a\\u001bb"\n', 1, "control character"),
    ("max_ignore_days = 0\n", 1, "1 to 36500"),
    ("max_ignore_days = 1.5\n", 1, "expected a number of days, found a number"),
    ("max_ignore_days = true\n", 1, "found true or false"),
    ("max_ignore_days = 99999999999\n", 1, "1 to 36500"),
    ("password_env = 'hunter 2'\n", 1, "name of an environment variable"),
    ("rules = []\n", 1, "expected a table, found an array"),
    ("[rules]\n\nspf-missing = 'none'\n", 3, "error, warning, notice or off"),
    ("[rules]\n'SPF!' = 'off'\n", 2, "no such rule"),
    ("domains = 1\n", 1, "expected a table"),
    ("[domains]\n'a.example' = 1\n", 2, "expected a table, found a number"),
    ("[domains.example.com]\nmx = []\n", 1, 'write [domains."example.com"], in quotes'),
    ("[domains.'a..b']\n", 1, "not a domain name"),
    ("[domains.'192.0.2.1']\n", 1, "it is an address"),
    ("[domains.'http://a.example']\n", 1, "URL"),
    ("[domains.'a.example']\n[domains.'A.example']\n", 2, "there twice, in line 1"),
    ("[domains.'a.example']\nselectors = []\n", 2, 'unknown key: domains."a.example".selectors'),
    ("[domains.'a.example']\nmx = 'mx.a.example'\n", 2, "expected an array, found a string"),
    ("[domains.'a.example']\nmx = ['mx.a.example',\n 'a b']\n", 3, "not a domain name"),
    ("[domains.'a.example']\nsenders = ['192.0.2.999']\n", 2, "neither an IP address nor a network"),
    ("[domains.'a.example']\nsenders = ['192.0.2.1/24']\n", 2, "the network is 192.0.2.0/24"),
    ("[domains.'a.example']\nsenders = ['fe80::1%eth0']\n", 2, "neither an IP address nor a network"),
    ("[domains.'a.example']\ndkim_selectors = ['a b']\n", 2, "not a selector"),
    ("[domains.'a.example']\ndkim_cnames = { s1 = 'x..y' }\n", 2, "not a domain name"),
    ("[domains.'a.example']\ndkim_cnames = ['s1']\n", 2, "expected a table, found an array"),
    ("[domains.'a.example']\nmta_sts = 'enforced'\n", 2, "did you mean enforce?"),
    ("[domains.'a.example']\ndmarc = 'p=reject'\n", 2, "reject, quarantine or none"),
    ("[domains.'a.example']\nrole = 'park'\n", 2, "did you mean parked?"),
    ("[domains.'a.example']\nrequirements = ['gmail']\n", 2, "google"),
    ("[ignore]\nrule = 'spf'\n", 1, "expected [[ignore]] tables, found a table"),
    ("[[ignore]]\n[[ignore]]\nrule = 'spf'\n", 1, "names no rule"),
    ("[[ignore]]\nrule = 'spf'\nuntil = 2027-01-01\n", 3, "unknown key: ignore.until"),
    ("[[ignore]]\nrule = 'spf'\nexpires = '2027-02-30'\n", 3, "no such day"),
    ("[[ignore]]\nrule = 'spf'\nexpires = 2027-01-01T00:00:00\n", 3, "found a date with a time"),
    ("[[ignore]]\nrule = 'spf'\ndomain = '*'\n", 3, "not a domain name"),
    ("ignore = [1]\n", 1, "expected a table"),
    ("a = \n", 1, "not TOML"),
    ("a = 1\na = 2\n", 2, "not TOML"),
    ("x = [\n1,\n", 3, "not TOML"),
    ("expires = 2027-02-30\n", 1, "not TOML"),
    (b"a = 1\nb = '\xff'\n", 2, "not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_is_refused_says_where(file, text, line, words):
    said = refused(file(text))
    assert words in said
    if "expires = 2027-02-30" not in str(text):  # tomllib knows no line of a day that is none
        assert said.startswith(f"deliverkit.toml:{line}: ")


@pytest.mark.parametrize("key", ["password", "smtp_password", "Token", "api_key", "secret-key", "passphrase"])
@pytest.mark.parametrize("table", ["", "[domains.'a.example']\n", "[[ignore]]\nrule = 'spf'\n"])
def test_a_secret_is_never_taken_nor_shown(file, key, table):
    said = refused(file(f"{table}{key} = 'hunter2'\n"))
    assert "never written here" in said
    assert "_env" in said
    assert "hunter2" not in said
    assert said.startswith(f"deliverkit.toml:{table.count(chr(10)) + 1}: ")


@pytest.mark.parametrize(
    ("key", "secret"),
    [("password_env", False), ("password_file", False), ("passed", False), ("monkey", False), ("smtp.password", True)],
)
def test_keys_that_ask_for_secrets(key, secret):
    assert is_secret_key(key) is secret


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_a_value_like_a_secret_in_a_file_for_everybody(file):
    path = file('[[ignore]]\nrule = "spf"\nreason = "token: hunter22"\n')
    path.chmod(0o644)
    config = load(path)
    (warning,) = config.warnings
    assert warning.startswith("deliverkit.toml:3: ignore.reason looks like a secret")
    assert "hunter22" not in warning
    shown = settings_of(
        config, {}, {"DELIVERKIT_RESOLVER": "https://me:hunter22@dns.example/q", "DELIVERKIT_PASSWORD": "x"}
    )
    assert "hunter22" not in repr(shown.settings)
    assert [each.value for each in shown.settings if each.key == "DELIVERKIT_PASSWORD"] == [HIDDEN]
    path.chmod(0o600)
    assert load(path).warnings == ()


def test_a_refused_value_like_a_secret_is_not_shown(file):
    said = refused(file('resolvers = ["https://me:hunter22@dns.example/q"]\n'))
    assert "resolvers: cannot be used, and is not shown" in said
    assert "hunter22" not in said


def test_values_that_are_no_secrets():
    for text in (
        "OPS-412: monitoring until January",
        "https://dns.example/dns-query",
        "203.0.113.0/28",
        "s1.vendor.example",
    ):
        assert not looks_secret(text)


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and links")
def test_what_is_no_file_is_refused_in_time(file, tmp_path):
    began = time.monotonic()
    os.mkfifo("fifo")
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere")
    for name, words in [
        ("fifo", "not a regular file"), ("/dev/zero", "not a regular file"), (".", "is a directory"),
        ("loop", "too many levels of symbolic links"), ("dangling", "no such file"), ("missing", "no such file"),
        ("a" * 300, "too long"), ("a\0b", "null"),
    ]:  # fmt: skip
        assert words in refused(Path(name)), name
    assert "larger than 1 MiB" in refused(file(b"# " + b"x" * 10_000_000))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 400_000, "x = " + "{a=" * 200_000, "[" + ".".join(["a"] * 200_000) + "]",
        "a" + ".a" * 300_000 + " = 1",
        "x = " + "9" * 900_000, 'x = """' + '"' * 900_000, "x = '" + "\\" * 900_000, "[[a]]\n" * 150_000,
        "a = 1\n" * 100_000,
    ],
    ids=range(9),
)  # fmt: skip
def test_bombs_end_in_time(file, text):
    began = time.monotonic()
    assert refused(file(text)).startswith("deliverkit.toml:")
    assert time.monotonic() - began < 10


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_the_file_holds_it_is_one_line(tmp_path_factory, octets):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(octets)
    try:
        load(path)
    except ConfigError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said
    assert shown(said, 9999) == said


@pytest.mark.parametrize(
    ("senders", "addresses"),
    [
        (["203.0.113.10"], ("203.0.113.10",)),
        (["203.0.113.0/28"], ("203.0.113.1", "203.0.113.5", "203.0.113.9", "203.0.113.14")),
        (["203.0.113.0/30", "203.0.113.1"], ("203.0.113.1", "203.0.113.2")),
        (["203.0.113.4/31"], ("203.0.113.4", "203.0.113.5")),
        (["203.0.113.4/32"], ("203.0.113.4",)),
        (["2001:db8::/127"], ("2001:db8::", "2001:db8::1")),
        (["2001:db8::/64"],
         tuple(f"2001:db8::{last}" for last in ("1", *(":".join([digits * 4] * 4) for digits in "5af")))),
    ],
)  # fmt: skip
def test_networks_by_a_sample(senders, addresses):
    assert sampled(senders) == addresses
