"""How a command is declared: a function whose parameters may be bundles of options.

A bundle is a frozen dataclass of Typer-annotated fields, declared once and taken by every command that
needs it. `command` spreads the bundles into Typer parameters, gives each option its environment variable
(`DELIVERKIT_FAIL_ON`) and its section of the help.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterable
from typing import Any, Final

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException
from typer.models import OptionInfo

from deliverkit.cli.configuring import PREFIX, configured
from deliverkit.cli.environment import prefer_typed, renamed
from deliverkit.cli.errors import UsageError

GIVEN: Final = {"given": True}
"""Marks a bundle's field that is no option: it comes from the context, where the command has put it."""
_CONTEXT: Final = "context"
HELP_NAMES = ["-h", "--help"]


class _Plain:
    """Reads a parameter's words itself.

    Typer builds a pydantic adapter for each parameter, and importing pydantic takes longer than checking a
    domain. Words, numbers, paths and choices are read here.
    """

    def __init__(self, annotation: Any) -> None:
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        self.many = typing.get_origin(annotation) is list
        self.kind: Callable[[str], Any] = kinds[0] if kinds else annotation

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as its type; a usage error where it is none."""
        if self.many:
            return [self._one(item, param, ctx) for item in value or ()]
        return None if value is None else self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return self.kind(value)
        except ValueError:
            wanted = "expected a number" if self.kind in (int, float) else f"expected {_choices(self.kind)}"
            raise typer.BadParameter(f"{value!r}: {wanted}", ctx=ctx, param=param) from None


def read_plainly(parameters: Iterable[Any]) -> None:
    """Has each parameter read its words itself."""
    for parameter in parameters:
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None:
            # Where Typer keeps what reads a parameter; were it to move, Typer's own would serve.
            vars(parameter)["_runtime_param"] = _Plain(descriptor.annotation)


def _choices(kind: Any) -> str:
    words = [str(choice.value) for choice in kind]
    return f"{', '.join(words[:-1])} or {words[-1]}"


class Command(TyperCommand):
    """A command whose help groups its options under their headings."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Typer's own, without its adapters."""
        read_plainly(self.get_params(ctx))
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            raise UsageError(renamed(error.format_message(), ctx)) from error

    def invoke(self, ctx: Any) -> Any:
        """Typer's own; what the environment says yields to what was typed, and its mistakes are told as its own."""
        prefer_typed(ctx)
        try:
            configured(ctx)
            return super().invoke(ctx)
        except UsageError as error:
            raise UsageError(renamed(str(error), ctx)) from error

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The arguments, then each group of options in the order declared."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                groups.setdefault("Arguments", []).append(
                    (parameter.metavar or parameter.name, getattr(parameter, "help", "") or "")
                )
            else:
                panel = getattr(parameter, "rich_help_panel", None)
                groups.setdefault(panel or "Options", []).append(record)
        for heading in sorted(groups, key=lambda heading: (heading != "Arguments", heading == "Options")):
            with formatter.section(heading):
                formatter.write_dl(groups[heading])


def application(
    function: Callable[..., int], *, name: str, epilog: str = "", cls: type[Command] = Command
) -> typer.Typer:
    """A Typer application of one command, its bundles spread."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": HELP_NAMES, "max_content_width": 100},
    )
    app.command(name, cls=cls, epilog=epilog or None)(spread(function))
    return app


def spread(function: Callable[..., int]) -> Callable[..., int]:
    """The function with each bundle among its parameters replaced by the bundle's fields."""
    hints = typing.get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    parameters: list[inspect.Parameter] = []
    bundles: dict[str, type[Any]] = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            bundles[parameter.name] = hint
            parameters.extend(_fields(hint))
        else:
            parameters.append(_parameter(parameter.name, hint, parameter.default))
    parameters.append(inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context))

    @functools.wraps(function)
    def call(**given: Any) -> int:
        context = given.pop(_CONTEXT)
        for name, bundle in bundles.items():
            given[name] = bundle(
                **{
                    field.name: context.meta.get(field.name) if field.metadata == GIVEN else given.pop(field.name)
                    for field in dataclasses.fields(bundle)
                }
            )
        return function(**given)

    signature = inspect.Signature(parameters, return_annotation=int)
    vars(call)["__signature__"] = signature
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _fields(bundle: type[Any]) -> list[inspect.Parameter]:
    hints = typing.get_type_hints(bundle, include_extras=True)
    found = []
    for field in dataclasses.fields(bundle):
        if field.metadata == GIVEN:
            continue
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append(_parameter(field.name, hints[field.name], default))
    return found


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, OptionInfo):
            extra.envvar = f"{PREFIX}{name.rstrip('_').upper()}"
            extra.show_envvar = False
    missing = default in (dataclasses.MISSING, inspect.Parameter.empty)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=hint,
        default=inspect.Parameter.empty if missing else default,
    )
