"""Mail servers of three makes on free loopback ports, once a session."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from authority import Authority, Leaf
from postfix import Mail, certificates, postfix


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """What the clients of these tests trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def leaves(authority: Authority) -> dict[str, Leaf]:
    """By label: good, rsa, expired, early, wrongname, selfsigned, incomplete."""
    return certificates(authority)


@pytest.fixture(scope="session")
def anchor(authority: Authority) -> Path:
    """The file for `--ca-file`."""
    return authority.anchor


@pytest.fixture(scope="session")
def post(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[Mail]:
    """Postfix with Dovecot."""
    with postfix(authority, leaves, six=has_ipv6()) as mail:
        yield mail


def has_ipv6() -> bool:
    """Whether the machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6) as made:
            made.bind(("::1", 0))
    except OSError:
        return False
    return True
