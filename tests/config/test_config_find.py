"""Which file holds: from here upwards to the repository's root, and no further."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deliverkit.config.find import find


@pytest.fixture
def tree(tmp_path):
    """A repository with folders in it, and a stranger's configuration above."""
    (tmp_path / "deliverkit.toml").write_text("")
    below = tmp_path / "repo" / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    return tmp_path / "repo"


def test_upwards_to_the_root_of_the_repository(tree):
    assert find(tree / "a" / "b") is None
    (tree / "deliverkit.toml").write_text("")
    assert find(tree / "a" / "b") == tree / "deliverkit.toml"
    (tree / "a" / ".deliverkit.toml").write_text("")
    assert find(tree / "a" / "b") == tree / "a" / ".deliverkit.toml"
    assert find(tree) == tree / "deliverkit.toml"


def test_outside_a_repository_only_here(tmp_path):
    (tmp_path / "deliverkit.toml").write_text("")
    (tmp_path / "sub").mkdir()
    assert find(tmp_path / "sub") is None
    assert find(tmp_path) == tmp_path / "deliverkit.toml"


def test_the_first_name_of_a_folder(tree):
    project = tree / "pyproject.toml"
    project.write_text("[tool.deliverkit]\n")
    assert find(tree) == project
    (tree / ".deliverkit.toml").write_text("")
    assert find(tree) == tree / ".deliverkit.toml"
    (tree / "deliverkit.toml").write_text("")
    assert find(tree) == tree / "deliverkit.toml"


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("[tool.deliverkit.rules]\n", True),
        ("[project]\ndependencies = ['deliverkit']\n", False),
        ("[tool.other]\n", False),
        ("[tool.deliverkit]\nbroken\n", True),
        ("broken\n", False),
        ("tool = 1\n# deliverkit\n", False),
    ],
)
def test_a_pyproject_counts_with_our_table(tree, text, ours):
    (tree / "pyproject.toml").write_text(text)
    assert (find(tree) is not None) is ours


def test_a_work_tree_has_a_file_for_a_folder(tree):
    (tree / ".git").rmdir()
    (tree / ".git").write_text("gitdir: elsewhere\n")
    (tree / "deliverkit.toml").write_text("")
    assert find(tree / "a") == tree / "deliverkit.toml"


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and links")
def test_what_cannot_be_read_is_found_all_the_same(tree):
    Path(tree / "deliverkit.toml").symlink_to("deliverkit.toml")
    assert find(tree) == tree / "deliverkit.toml"
    os.mkfifo(tree / "a" / "pyproject.toml")
    assert find(tree / "a") == tree / "deliverkit.toml"
