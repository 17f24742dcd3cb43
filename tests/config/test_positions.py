"""Where each key stands: the scan's view of the keys is tomllib's, whatever the document is like."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.config.positions import positions

ODD = '''\
# a comment with [brackets] = "and" 'quotes'
a.b . "c d".'e.f' = 1 # dotted
"quoted \\u0041\\" key" = """
[not.a.header]
x = 1 \\"""
still = "text"
"""""
'literal' = \'\'\'
y = 2 ''
\'\'\'
inline = { x = 1, "y z" = { deep = [1, { k = "}" }] }, v.w = "a,b#c" }
many = [
  "one", # first, of "three"
  [2, 3], { t = 'x]' },

  2027-01-31,
  1979-05-27 07:32:00,
]
empty = []
nothing = {}
1234 = true

  [ table . "with space" ]
  k = -inf
[[list]]
[list.sub]
z = 1
[[list.inner]]
q = 1
[[list.inner]]
[[list]]
name = ""
[[list.inner]]
[table."with space".more]
[late.x.y]
[late]
own = 0x1F
'''


def keys(tree, at=()):
    """The way to every value of a document, as tomllib read it."""
    found = {at} if at else set()
    if isinstance(tree, dict):
        for key, value in tree.items():
            found |= keys(value, (*at, key))
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            found |= keys(value, (*at, place))
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_odd_document(end):
    found = positions(ODD.replace("\n", end))
    assert set(found) == keys(tomllib.loads(ODD))
    lines = ODD.splitlines()
    for path, line, column, begins in [
        (("a",), 2, 1, "a.b"),
        (("a", "b", "c d", "e.f"), 2, 1, "a.b"),
        (('quoted A" key',), 3, 1, '"quoted'),
        (("literal",), 8, 1, "'literal'"),
        (("inline",), 11, 1, "inline"),
        (("inline", "y z", "deep", 1, "k"), 11, 42, "k = "),
        (("inline", "v", "w"), 11, 56, "v.w"),
        (("many", 1, 1), 14, 7, "3]"),
        (("many", 2, "t"), 14, 13, "t = "),
        (("many", 4), 17, 3, "1979"),
        (("table", "with space"), 23, 3, "[ table"),
        (("list",), 25, 1, "[[list]]"),
        (("list", 0, "sub", "z"), 27, 1, "z"),
        (("list", 0, "inner", 1), 30, 1, "[[list.inner]]"),
        (("list", 1, "name"), 32, 1, "name"),
        (("list", 1, "inner", 0), 33, 1, "[[list"),
        (("late",), 36, 1, "[late]"),
        (("late", "own"), 37, 1, "own"),
    ]:
        assert found[path] == (line, column), path
        assert lines[line - 1][column - 1 :].startswith(begins), path


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["a", "b-c", "1", "a.b", '"', "'", "\\", "#", "=", "[", "]", "\t", "\x7f", "é", "\n"]
)
VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def documents(draw):  # noqa: C901 - the ways of a format
    """A document and its tree, each value written in one of the ways that TOML has."""
    tree = draw(st.dictionaries(NAMES, VALUES, max_size=5))
    tables = draw(
        st.dictionaries(NAMES.filter(lambda name: name not in tree), st.dictionaries(NAMES, VALUES), max_size=3)
    )
    lists = draw(
        st.dictionaries(
            NAMES.filter(lambda name: name not in tree and name not in tables),
            st.lists(st.dictionaries(NAMES, VALUES, max_size=2), min_size=1, max_size=3),
            max_size=2,
        )
    )
    space = st.sampled_from(["", " ", "\t"])
    rest = st.sampled_from(["", " # x = [", "  "])

    def key(name):
        forms = [json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")]
        if name and name.isascii() and all(c.isalnum() or c in "-_" for c in name):
            forms.append(name)
        if "'" not in name and "\n" not in name and all(c == "\t" or c.isprintable() for c in name):
            forms.append(f"'{name}'")
        return draw(st.sampled_from(forms))

    def text(name):
        forms = [json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")]
        if "'" not in name and all(c in "\t\n" or c.isprintable() for c in name):
            forms += [f"'''\n{name}'''"] if "\n" in name or draw(st.booleans()) else [f"'{name}'"]
        if all(c == "\n" or c.isprintable() for c in name) and "\\" not in name and '"' not in name:
            forms.append(f'"""\n{name}"""')
        return draw(st.sampled_from(forms))

    def value(one):
        if isinstance(one, bool):
            return str(one).lower()
        if isinstance(one, int):
            return str(one)
        if isinstance(one, str):
            return text(one)
        if isinstance(one, list):
            gap = draw(st.sampled_from(["", " ", "\n", " # ]\n  "]))
            comma = draw(st.sampled_from(["", ","])) if one else ""
            return f"[{gap}{f',{gap}'.join(value(item) for item in one)}{comma}{gap}]"
        return "{" + ", ".join(f"{key(name)} = {value(item)}" for name, item in one.items()) + "}"

    def pairs(table):
        return [
            f"{draw(space)}{key(name)}{draw(space)}={draw(space)}{value(item)}{draw(rest)}"
            for name, item in table.items()
        ]

    lines = pairs(tree)
    for name, table in tables.items():
        lines += [f"[{draw(space)}{key(name)}{draw(space)}]{draw(rest)}", *pairs(table)]
    for name, entries in lists.items():
        for entry in entries:
            lines += [f"[[{key(name)}]]", *pairs(entry)]
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(documents())
def test_any_document(text):
    found = positions(text)
    assert set(found) == keys(tomllib.loads(text))
    lines = text.split("\n")
    for line, column in found.values():
        assert 0 < column <= len(lines[line - 1])
