"""`init` writes what is published, and what it writes brings no finding."""

from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.config.draft import Draft, written
from deliverkit.config.read import load

ZONE = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx1
@      MX   20 mx2
mx1    A    192.0.2.1
mx2    A    192.0.2.2
@      TXT  "v=spf1 ip4:192.0.2.0/28 -all"
_dmarc TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
google._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
selector1._domainkey TXT "v=DKIM1; k=rsa; p="
s1._domainkey CNAME s1.dkim.vendor.example.
s1.dkim.vendor.example. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
parked.example. MX 0 .
parked.example. TXT "v=spf1 -all"
unclear.example. MX SERVFAIL
unclear.example. A 192.0.2.9
example. SOA ns1.example. hostmaster.example. 1 7200 3600 1209600 3600
"""


@pytest.fixture
def here(tmp_path, monkeypatch, world):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    path = world(ZONE)
    return "--zone", path, "--offline"


def findings(cli, *words):
    report = json.loads(cli("check", *words, "--format", "json").out)
    return {
        (target["target"], found["fingerprint"], found["severity"])
        for target in report["targets"]
        for found in target["findings"]
    }


def test_it_writes_what_is_published(cli, here):
    result = cli("init", "example.com", "parked.example", *here)
    assert (result.code, result.err) == (0, "")
    assert "deliverkit.toml" in result.out
    made = tomllib.loads(Path("deliverkit.toml").read_text())
    domain = made["domains"]["example.com"]
    assert domain["mx"] == ["mx1.example.com", "mx2.example.com"]
    assert (domain["role"], domain["dmarc"]) == ("mail", "quarantine")
    assert "google" in domain["dkim_selectors"]
    assert "selector1" not in domain["dkim_selectors"]
    assert "mta_sts" not in domain
    assert made["domains"]["parked.example"] == {"role": "parked"}
    without = findings(cli, "example.com", "parked.example", "--no-config", *here)
    assert findings(cli, *here) - without == set()


def test_it_never_replaces_unasked(cli, here):
    Path("deliverkit.toml").write_text("# mine\n")
    result = cli("init", "example.com", *here)
    assert (result.code, result.out) == (2, "")
    assert "--force" in result.err
    assert Path("deliverkit.toml").read_text() == "# mine\n"
    assert cli("init", "example.com", "--force", *here).code == 0
    assert "example.com" in Path("deliverkit.toml").read_text()
    assert sorted(path.name for path in Path().iterdir()) == [".git", "deliverkit.toml", "some.world"]


@pytest.mark.parametrize(("name", "text"), [(".deliverkit.toml", ""), ("pyproject.toml", "[tool.deliverkit]\n")])
def test_nor_takes_the_place_of_another(cli, here, name, text):
    Path(name).write_text(text)
    result = cli("init", "example.com", *here)
    assert result.code == 2
    assert name in result.err
    assert not Path("deliverkit.toml").exists()


def test_what_could_not_be_told_is_not_written(cli, here):
    result = cli("init", "example.com", "unclear.example", *here)
    assert (result.code, result.out) == (3, "")
    assert "unclear.example" in result.err
    assert not Path("deliverkit.toml").exists()
    result = cli("init", "gone.example", *here)
    assert result.code == 2
    assert "does not exist" in result.err
    assert cli("init", *here).code == 2
    assert not Path("deliverkit.toml").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answers", "there"), [("example.com\n192.0.2.3 192.0.2.0/28\ny\n", True), ("example.com\n\nn\n", False)]
)
def test_on_a_terminal_it_asks(cli, here, monkeypatch, capsys, answers, there):
    monkeypatch.setattr("sys.stdin", Terminal(answers))
    monkeypatch.setattr("deliverkit.cli.init._sits_there", lambda: True)
    result = cli("init", *here)
    assert result.code == 0
    assert "Which domains?" in result.err
    assert Path("deliverkit.toml").exists() is there
    if there:
        entry = tomllib.loads(Path("deliverkit.toml").read_text())["domains"]["example.com"]
        assert entry["senders"] == ["192.0.2.3", "192.0.2.0/28"]


def test_json(cli, here):
    found = json.loads(cli("init", "example.com", "--format", "json", *here).out)
    assert found["path"] == "deliverkit.toml"
    assert found["domains"][0]["dmarc"] == "quarantine"


LABEL = st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z")
NAME = st.builds("{}.example".format, LABEL)


@given(
    st.lists(
        st.builds(
            Draft,
            domain=NAME,
            role=st.sampled_from([None, "mail", "parked"]),
            mx=st.lists(NAME, max_size=2, unique=True).map(tuple),
            dkim_selectors=st.lists(LABEL, max_size=2, unique=True).map(tuple),
            dkim_cnames=st.dictionaries(LABEL, NAME, max_size=2),
            dmarc=st.sampled_from([None, "reject"]),
            mta_sts=st.sampled_from([None, "testing"]),
            untold=st.sampled_from([(), ("dmarc", "mx")]),
        ),
        max_size=3,
        unique_by=lambda draft: draft.domain,
    )
)
def test_what_is_written_is_read(tmp_path_factory, drafts):
    path = tmp_path_factory.getbasetemp() / "deliverkit.toml"
    path.write_text(written(drafts))
    config = load(path)
    assert list(config.domains) == [draft.domain for draft in drafts]
    for draft in drafts:
        entry = config.domains[draft.domain]
        assert (entry.role, entry.mx or (), entry.dmarc) == (draft.role, draft.mx, draft.dmarc)
        assert (entry.dkim_selectors, entry.dkim_cnames) == (draft.dkim_selectors, draft.dkim_cnames)
