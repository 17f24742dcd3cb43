"""The page about the configuration names every key, and its example is read."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from deliverkit.config.document import Document, DomainTable, IgnoreTable
from deliverkit.config.read import load

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_example_is_read_and_names_every_key(tmp_path):
    path = tmp_path / "deliverkit.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    config = load(path)
    for kind, at in ((Document, ()), (DomainTable, ("domains", "example.com")), (IgnoreTable, ("ignore", 0))):
        for field in msgspec.structs.fields(kind):
            assert config.says(*at, field.name), field.name


def test_the_words_of_editors_name_every_key():
    for kind in (Document, DomainTable, IgnoreTable):
        for field in msgspec.structs.fields(kind):
            assert "Meta(description=" in repr(field.type) or "description" in repr(kind.__annotations__[field.name])
