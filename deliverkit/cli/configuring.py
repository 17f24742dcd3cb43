"""The configuration on the command line: read for every command that takes one, and merged with what was typed.

Flags win over the environment, the environment over the file, the file over the defaults. Typer keeps where each
value of a command came from; what came from nowhere is the file's to give.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.terminal import say
from deliverkit.config import Config, ConfigError
from deliverkit.config.find import find
from deliverkit.model import AREAS, escaped

SETTINGS: Final = "settings"
"""Under which the context of a command has its configuration, and bundles their field."""
OVERRIDDEN: Final = "overridden"
PREFIX: Final = "DELIVERKIT_"


def configured(context: Any) -> None:
    """Gives a command its configuration, and what it says where nothing was typed or set. Raises `UsageError`."""
    values = context.params
    if "no_config" not in values:
        return
    if values["no_config"] and values["config"] is not None:
        raise UsageError("--config and --no-config exclude each other")
    context.meta[OVERRIDDEN] = _overridden(context)
    try:
        config = the_config(values["config"], off=values["no_config"])
        if config is None:
            context.meta[SETTINGS] = None
            return
        for warning in config.warnings:
            say(f"deliverkit: warning: {warning}")
        if "select" in values:
            _known_rules(config)
        context.meta[SETTINGS] = _merged(config, context)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def the_config(path: Path | None, *, off: bool = False) -> Config | None:
    """The configuration that is named, or else found from here; None where there is none. Raises `ConfigError`."""
    if off:
        return None
    if path is None:
        path = find(Path())
    if path is None:
        return None
    from deliverkit.config.read import load  # noqa: PLC0415 - there is something to read

    return load(path)


def _overridden(context: Any) -> dict[str, str]:
    """By key of the file: the option or the variable that gives its value instead."""
    found = {}
    for name, key in (("fail_on", "fail_on"), ("inconclusive", "inconclusive"), ("resolver", "resolvers")):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            found[key] = f"--{name.replace('_', '-')}"
        elif source is not None and source.name == "ENVIRONMENT":
            found[key] = f"{PREFIX}{name.upper()}"
    return found


def _merged(config: Config, context: Any) -> Config:
    """The configuration with what was typed or set in it; the command's parameters with what it says."""
    values = context.params
    if "fail_on" in values:
        if _open(context, "fail_on"):
            values["fail_on"] = type(values["fail_on"])(config.fail_on)
        else:
            config = msgspec.structs.replace(config, fail_on=values["fail_on"].value)
    if "inconclusive" in values:
        if _open(context, "inconclusive"):
            said = config.inconclusive
            word = said if isinstance(said, str) else said.get("default", "report")
            values["inconclusive"] = type(values["inconclusive"])(word)
        else:
            config = msgspec.structs.replace(config, inconclusive=values["inconclusive"].value)
    if "resolver" in values:
        if not _open(context, "resolver"):
            config = msgspec.structs.replace(config, resolvers=tuple(values["resolver"]))
        elif not values.get("offline"):
            values["resolver"] = list(_resolvers(config))
    if values.get("user") is not None and not values["password_env"] and not values["password_file"]:
        values["password_env"] = _variable(config)
    return config


def _variable(config: Config) -> str | None:
    """The variable with the password of a login."""
    name = config.password_env
    if name is not None and name not in os.environ:
        where = f"{escaped(config.path or '')}:{config.line('password_env')}"
        raise ConfigError(f"{where}: password_env: there is no environment variable {name}")
    return name


def _open(context: Any, name: str) -> bool:
    """Whether a value was neither typed nor set in the environment."""
    source = context.get_parameter_source(name)
    return source is None or source.name == "DEFAULT"


def _resolvers(config: Config) -> tuple[str, ...]:
    """The resolvers as `--resolver` takes them: the system's alone are what it asks by default."""
    if set(config.resolvers) == {"system"}:
        return ()
    if "system" not in config.resolvers:
        return config.resolvers
    from deliverkit.dns.options import DnsOptions, DnsOptionsError, system_resolvers  # noqa: PLC0415 - named here alone

    try:
        system = tuple(f"{spec.address}#{spec.port}" for spec in system_resolvers(DnsOptions().system))
    except DnsOptionsError as error:
        raise ConfigError(str(error)) from error
    return tuple(spec for name in config.resolvers for spec in (system if name == "system" else (name,)))


def _known_rules(config: Config) -> None:
    """Refuses rules that do not exist: a slip there would be silent."""
    if not config.rules and not config.ignores:
        return
    from deliverkit.rules import all_rules  # noqa: PLC0415 - a few hundred: read early only to know a name

    ids = {rule.id for rule in all_rules()}
    for name in config.rules:
        if name not in ids:
            hint = f": {name} is an area; name its rules" if name in AREAS else nearest(name, sorted(ids))
            raise _no_rule(config, config.line("rules", name), name, hint)
    for entry in config.ignores:
        if entry.rule not in ids and entry.rule not in AREAS:
            raise _no_rule(config, entry.line, entry.rule, nearest(entry.rule, sorted(ids | set(AREAS))))


def _no_rule(config: Config, line: int, name: str, hint: str) -> ConfigError:
    return ConfigError(f"{escaped(config.path or '')}:{line}: no such rule: {escaped(name)}{hint}")
