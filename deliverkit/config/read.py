"""A configuration file, read strictly: an unknown key, a wrong type or a bad value is an error with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import msgspec

from deliverkit.config import document, values
from deliverkit.config.document import Document, DomainTable, IgnoreTable
from deliverkit.config.find import PYPROJECT, named, octets_of
from deliverkit.config.positions import positions
from deliverkit.config.secret import is_secret_key, looks_secret
from deliverkit.config.settings import Config, ConfigError, DomainConfig, Ignore, Keys
from deliverkit.model import escaped, shown
from deliverkit.model.near import nearest

T = TypeVar("T")
_AT: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_MOST_SENDERS: Final = 1000
_STRINGS: Final = re.compile(r""""[^"\n]*"|'[^'\n]*'""")
_LONG_KEY: Final = re.compile(r"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){32}")
"""Tables in tables in tables: the work that a key makes grows with the square of its parts."""


def load(path: Path) -> Config:
    """The configuration of a file; of a `pyproject.toml` its table `[tool.deliverkit]`. Raises `ConfigError`."""
    octets, public = octets_of(path)
    return parse(octets, named(path), public=public)


def parse(octets: bytes, shown_path: str, *, public: bool = False) -> Config:
    """As `load`, of a file's octets; `public`: everybody may read the file. Raises `ConfigError`."""
    text, tree = _parsed(octets, escaped(shown_path))
    prefix: Keys = ()
    if Path(shown_path).name == PYPROJECT:
        prefix = ("tool", "deliverkit")
        tool = tree.get("tool")
        tree = tool.get("deliverkit") if isinstance(tool, dict) else None
        if not isinstance(tree, dict):
            raise ConfigError(f"{escaped(shown_path)}: has no table [tool.deliverkit]")
    try:
        found = positions(text)
    except RecursionError:
        raise ConfigError(f"{escaped(shown_path)}: nested too deep") from None
    lines = {keys[len(prefix) :]: place for keys, place in found.items() if keys[: len(prefix)] == prefix}
    return _Reader(shown_path, lines, public=public).config(tree)


def _parsed(octets: bytes, path: str) -> tuple[str, Any]:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8") from None
    bare = _STRINGS.sub("s", text)
    long_key = _LONG_KEY.search(bare)
    if long_key is not None:
        raise ConfigError(f"{path}:{bare.count(chr(10), 0, long_key.start()) + 1}: nested too deep")
    try:
        return text, tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deep") from None
    except ValueError as error:
        said = " ".join(str(error).split())
        at = _AT.search(said)
        words = shown(said[: at.start()] if at else said, 200)
        place = f":{at[1] or text.count(chr(10)) + 1}" if at else ""
        raise ConfigError(f"{path}{place}: not TOML: {words}") from None


class _Reader:
    """One file: its values checked one by one, each error with the place of its key."""

    def __init__(self, path: str, lines: dict[Keys, tuple[int, int]], *, public: bool) -> None:
        self.path = path
        self.lines = lines
        self.public = public
        self.warnings: list[str] = []

    def config(self, tree: dict[str, Any]) -> Config:
        self._known(tree, Document, ())
        self._secrets(tree, ())
        one = self._value
        one(tree, ("schema",), _version)
        inconclusive = tree.get("inconclusive")
        return Config(
            path=self.path,
            fail_on=one(tree, ("fail_on",), _word(document.FailOn)) or "error",
            inconclusive=self._inconclusive(inconclusive) if inconclusive is not None else "report",
            resolvers=self._each(tree, ("resolvers",), _resolver) or ("system",),
            baseline=self._path(one(tree, ("baseline",), values.filled)),
            max_ignore_days=one(tree, ("max_ignore_days",), values.days) or Config().max_ignore_days,
            password_env=one(tree, ("password_env",), values.variable),
            rules=self._table(tree, ("rules",), values.rule, _word(document.Weight)),
            domains=self._domains(self._dict(tree.get("domains", {}), ("domains",))),
            ignores=self._ignores(tree.get("ignore", [])),
            lines=self.lines,
            warnings=tuple(self.warnings),
        )

    def _domains(self, tree: dict[str, Any]) -> dict[str, DomainConfig]:
        found: dict[str, DomainConfig] = {}
        for name, table in tree.items():
            at: Keys = ("domains", name)
            if isinstance(table, dict) and not _is_domain(name) and not _is_settings(table):
                # `[domains.example.com]` is a table in a table in a table: the quotes are missing.
                raise self._wrong(
                    at, f'is no domain name; write [domains."{escaped(_dotted(name, table))}"], in quotes'
                )
            domain = self._checked(at, values.domain, name)
            entry = self._domain(at, self._dict(table, at), domain)
            if domain in found:
                raise self._wrong(at, f"the domain is there twice, in line {found[domain].line} already")
            found[domain] = entry
        return found

    def _domain(self, at: Keys, table: dict[str, Any], name: str) -> DomainConfig:
        self._known(table, DomainTable, at)
        one, each = self._value, self._each
        senders = each(table, (*at, "senders"), values.network)
        if len(senders or ()) > _MOST_SENDERS:
            raise self._wrong((*at, "senders"), f"more than {_MOST_SENDERS}")
        return DomainConfig(
            name=name,
            written=str(at[-1]),
            line=self._line(at),
            dkim_selectors=each(table, (*at, "dkim_selectors"), values.selector) or (),
            senders=senders or (),
            mx=each(table, (*at, "mx"), values.domain),
            mta_sts=one(table, (*at, "mta_sts"), _word(document.Mode)),
            dmarc=one(table, (*at, "dmarc"), _word(document.Policy)),
            zone=self._path(one(table, (*at, "zone"), values.filled)),
            dkim_cnames=self._table(table, (*at, "dkim_cnames"), values.selector, values.domain),
            requirements=each(table, (*at, "requirements"), _word(document.Programme)) or (),
            role=one(table, (*at, "role"), _word(document.Role)),
        )

    def _ignores(self, entries: object) -> tuple[Ignore, ...]:
        if not isinstance(entries, list):
            raise self._wrong(("ignore",), f"expected [[ignore]] tables, found {values.kind_of(entries)}")
        found = []
        for number, entry in enumerate(entries):
            at: Keys = ("ignore", number)
            table = self._dict(entry, at)
            self._known(table, IgnoreTable, at)
            rule = self._value(table, (*at, "rule"), values.rule)
            if rule is None:
                raise self._wrong(at, "names no rule")
            found.append(
                Ignore(
                    rule=rule,
                    domain=self._value(table, (*at, "domain"), values.pattern),
                    reason=(self._value(table, (*at, "reason"), values.text) or "").strip() or None,
                    expires=self._value(table, (*at, "expires"), values.date),
                    path=self.path,
                    line=self._line(at),
                )
            )
        return tuple(found)

    def _inconclusive(self, value: object) -> str | dict[str, str]:
        words = _word(document.OnInconclusive)
        if not isinstance(value, dict):
            return self._checked(("inconclusive",), words, value)
        return self._table({"inconclusive": value}, ("inconclusive",), values.area, words)

    def _value(self, table: dict[str, Any], keys: Keys, read: Callable[[Any], T]) -> T | None:
        """The value of the last key, None where it is not written."""
        value = table.get(str(keys[-1]))
        return None if value is None else self._checked(keys, read, value)

    def _each(self, table: dict[str, Any], keys: Keys, read: Callable[[Any], T]) -> tuple[T, ...] | None:
        """An array's values, each once; None where it is not written."""
        value = table.get(str(keys[-1]))
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(keys, f"expected an array, found {values.kind_of(value)}")
        return tuple(dict.fromkeys(self._checked((*keys, place), read, item) for place, item in enumerate(value)))

    def _table(
        self, table: dict[str, Any], keys: Keys, name: Callable[[str], str], read: Callable[[Any], str]
    ) -> dict[str, str]:
        """A table of words."""
        entries = self._dict(table.get(str(keys[-1]), {}), keys)
        return {
            self._checked((*keys, key), name, key): self._checked((*keys, key), read, value)
            for key, value in entries.items()
        }

    def _dict(self, value: object, keys: Keys) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(keys, f"expected a table, found {values.kind_of(value)}")
        return value

    def _known(self, table: dict[str, Any], kind: type[msgspec.Struct], at: Keys) -> None:
        """Every key is one of the kind's."""
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        for key in table:
            if key in names:
                continue
            if is_secret_key(key):
                raise self._wrong(
                    (*at, key), f'secrets are never written here; {_variable(key)} = "NAME" names the variable with it'
                )
            raise ConfigError(f"{self._place((*at, key))}unknown key: {_key((*at, key))}{_near(key, names)}")

    def _secrets(self, value: object, at: Keys) -> None:
        """Values that are secrets, in a file that everybody may read."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self._secrets(inner, (*at, key))
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                self._secrets(inner, (*at, place))
        elif isinstance(value, str) and self.public and looks_secret(value):
            self.warnings.append(
                f"{self._place(at)}{_key(at)} looks like a secret, and everybody on this machine may read the file"
            )

    def _checked(self, keys: Keys, read: Callable[[Any], T], value: object) -> T:
        try:
            return read(value)
        except ValueError as error:
            if isinstance(value, str) and looks_secret(value):
                raise self._wrong(keys, "cannot be used, and is not shown: it looks like a secret") from None
            raise self._wrong(keys, str(error)) from None

    def _wrong(self, keys: Keys, words: str) -> ConfigError:
        return ConfigError(f"{self._place(keys)}{_key(keys)}: {words}")

    def _place(self, keys: Keys) -> str:
        return f"{escaped(self.path)}:{self._line(keys)}: "

    def _line(self, keys: Keys) -> int:
        return Config(lines=self.lines).line(*keys)

    def _path(self, written: str | None) -> str | None:
        """A path of the file's, as it can be opened from here."""
        return None if written is None else (Path(self.path).parent / written).as_posix()


def _version(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise values.expected("the number 1", value)
    if value != document.VERSION:
        raise ValueError(f"this version of deliverkit reads schema = {document.VERSION}")
    return value


def _word(choice: Any) -> Callable[[Any], str]:
    words = get_args(choice)
    return lambda value: values.word(value, words)


def _resolver(value: object) -> str:
    found = values.filled(value)
    if found == "system":
        return found
    from deliverkit.dns.options import DnsOptionsError, parse_resolver  # noqa: PLC0415 - loaded where one is named

    try:
        parse_resolver(found)
    except DnsOptionsError as error:
        raise ValueError(str(error).removeprefix("--resolver ")) from None
    return found


def _is_domain(name: str) -> bool:
    return "." in name


def _is_settings(table: dict[str, Any]) -> bool:
    """Whether a table is a domain's own: a host without a dot is one, too."""
    return not table or any(not isinstance(value, dict) for value in table.values()) or "dkim_cnames" in table


def _dotted(name: str, table: dict[str, Any]) -> str:
    """The name that was meant by tables in tables."""
    labels = [name]
    while len(table) == 1:
        ((label, inner),) = table.items()
        if not isinstance(inner, dict) or label in DomainTable.__struct_fields__:
            break
        labels.append(label)
        table = inner
    else:
        labels += [label for label, inner in table.items() if isinstance(inner, dict)][:1]
    return ".".join(labels)


def _near(key: str, names: Iterable[str]) -> str:
    return nearest(key.replace("-", "_").lower(), names)


def _variable(key: str) -> str:
    return f"{key}_env" if key.replace("_", "").isalnum() and key.isascii() else "password_env"


def _key(keys: Keys) -> str:
    """A key as a person writes it: `domains."example.com".mx`."""
    parts = []
    for key in keys:
        if isinstance(key, int):
            continue
        parts.append(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{shown(key, 80)}"')
    return ".".join(parts)
