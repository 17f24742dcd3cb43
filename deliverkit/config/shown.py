"""Every value of a configuration with where it comes from: `deliverkit config show`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from deliverkit.config.document import DomainTable, IgnoreTable
from deliverkit.config.secret import is_secret_key, looks_secret
from deliverkit.config.settings import Config, Ignore
from deliverkit.model.location import Location

SCHEMA: Final = "deliverkit/settings/1"
HIDDEN: Final = "(hidden: it looks like a secret)"
UNUSED: Final = {"requirements": "not judged by this version"}
"""Keys that are taken, and that nothing reads yet."""

Value: TypeAlias = str | int | dt.date | list[str] | dict[str, str] | None


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One value. `origin` is `deliverkit.toml:3`, the name of an option or a variable, or `default`."""

    key: str
    value: Value
    source: Literal["flag", "environment", "file", "default"]
    origin: str
    location: Location | None = None
    note: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All values. `config` is the path of the file, null where there is none."""

    schema: Literal["deliverkit/settings/1"] = SCHEMA
    config: str | None
    settings: tuple[Setting, ...]


def settings_of(config: Config, typed: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """All values of a merged configuration.

    `typed`: by key of the file, the option or variable that gives its value instead. `environment`: every other
    variable of ours that is set, by name.
    """
    return Settings(
        config=config.path,
        settings=(*_run(config, typed), *_domains(config), *_ignores(config), *_variables(environment)),
    )


def _run(config: Config, typed: Mapping[str, str]) -> Iterator[Setting]:
    for key, value in (
        ("fail_on", config.fail_on),
        ("inconclusive", config.inconclusive),
        ("resolvers", list(config.resolvers)),
        ("baseline", config.baseline),
        ("max_ignore_days", config.max_ignore_days),
        ("password_env", config.password_env),
    ):
        if key in typed:
            source: Literal["flag", "environment"] = "flag" if typed[key].startswith("-") else "environment"
            yield Setting(key=key, value=_safe(value), source=source, origin=typed[key])
        else:
            yield _setting(config, key, value, (key,))
    for rule, weight in config.rules.items():
        yield _setting(config, f'rules."{rule}"', weight, ("rules", rule))


def _domains(config: Config) -> Iterator[Setting]:
    for entry in config.domains.values():
        shown = [name for name in DomainTable.__struct_fields__ if config.says("domains", entry.written, name)]
        if not shown:
            at = _location(config, ("domains", entry.written))
            yield Setting(
                key=f'domains."{entry.name}"', value=None, source="file", origin=f"{at.path}:{at.line}", location=at
            )
        for name in shown:
            value = getattr(entry, name)
            yield _setting(
                config,
                f'domains."{entry.name}".{name}',
                list(value) if isinstance(value, tuple) else value,
                ("domains", entry.written, name),
                UNUSED.get(name),
            )


def _ignores(config: Config) -> Iterator[Setting]:
    for number, entry in enumerate(config.ignores):
        for name in IgnoreTable.__struct_fields__:
            value = _ignored(entry, name)
            if value is not None:
                yield _setting(config, f"ignore.{number + 1}.{name}", value, ("ignore", number, name))


def _ignored(entry: Ignore, name: str) -> Value:
    value: Value = getattr(entry, name)
    return value


def _variables(environment: Mapping[str, str]) -> Iterator[Setting]:
    for name, value in sorted(environment.items()):
        shown = HIDDEN if is_secret_key(name) else _safe(value)
        yield Setting(key=name, value=shown, source="environment", origin=name)


def _setting(config: Config, key: str, value: Value, keys: tuple[str | int, ...], note: str | None = None) -> Setting:
    if not config.says(*keys):
        return Setting(key=key, value=_safe(value), source="default", origin="default", note=note)
    at = _location(config, keys)
    return Setting(key=key, value=_safe(value), source="file", origin=f"{at.path}:{at.line}", location=at, note=note)


def _location(config: Config, keys: tuple[str | int, ...]) -> Location:
    line, column = config.lines.get(keys, (config.line(*keys), 1))
    return Location(path=config.path or "", line=line, column=column)


def _safe(value: Value) -> Value:
    """A value without the secrets that somebody may have written into it."""
    if isinstance(value, str):
        return HIDDEN if looks_secret(value) else value
    if isinstance(value, list):
        return [HIDDEN if looks_secret(item) else item for item in value]
    if isinstance(value, dict):
        return {key: HIDDEN if looks_secret(item) else item for key, item in value.items()}
    return value
