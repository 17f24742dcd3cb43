"""Mail servers of three makes on free loopback ports, and the DNS and policies of their domains, once a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authority import Authority, Leaf
from command import Ran, probe
from daemons import has_ipv6
from exim import exim
from postfix import Mail, certificates, postfix
from sendmail import sendmail

ALL = {25: "mx", 465: "smtps", 587: "submission", 2525: "alternative"}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """What the clients of these tests trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def leaves(authority: Authority) -> dict[str, Leaf]:
    """By label: good, rsa, expired, early, wrongname, selfsigned, incomplete."""
    return certificates(authority)


@pytest.fixture(scope="session")
def post(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[Mail]:
    """Postfix with Dovecot."""
    with postfix(authority, leaves, six=has_ipv6()) as mail:
        yield mail


@pytest.fixture(scope="session")
def exim_mail(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[Mail]:
    """Exim."""
    with exim(authority, leaves, six=has_ipv6()) as mail:
        yield mail


@pytest.fixture(scope="session")
def sendmail_mail(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[Mail]:
    """Sendmail."""
    with sendmail(authority, leaves) as mail:
        yield mail


@pytest.fixture(scope="session")
def post_ran(post: Mail) -> Ran:
    """What the command says of Postfix's four ports."""
    return probe(post, ALL, "--helo", "client.example.com", "-4")


@pytest.fixture(scope="session")
def exim_ran(exim_mail: Mail) -> Ran:
    """What the command says of Exim's four ports."""
    return probe(exim_mail, ALL, "--helo", "client.example.com", "-4")


@pytest.fixture(scope="session")
def sendmail_ran(sendmail_mail: Mail) -> Ran:
    """What the command says of Sendmail's four ports."""
    return probe(sendmail_mail, ALL, "--helo", "client.example.com", "-4")


class Server:
    """One make: where it runs and what the command says of it."""

    def __init__(self, mail: Mail, ran: Ran) -> None:
        self.mail = mail
        self.ran = ran


@pytest.fixture(params=["post", "exim", "sendmail"])
def make(request: pytest.FixtureRequest) -> str:
    """Each make in turn."""
    return request.param


@pytest.fixture
def server(request: pytest.FixtureRequest, make: str) -> Server:
    """The server of that make."""
    mail: Mail = request.getfixturevalue("post" if make == "post" else f"{make}_mail")
    return Server(mail, request.getfixturevalue(f"{make}_ran"))
