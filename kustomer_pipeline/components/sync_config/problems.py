"""What is wrong with a sync, said so that it can be put right: which file, which line, what is allowed.

    pydantic's errors, our own checks → Problem(where, what) → SyncConfigError (from YAML: with file and line)

Every mistake of a sync is reported at once, in one form, whether it was written in YAML or in Python.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin

import dagster as dg
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from kustomer_pipeline.mapping.fields import close_matches

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: `where` are the keys that lead to it (`("watch", "every")`), `what` says what to write."""

    where: Where
    what: str

    def __str__(self) -> str:
        return f"{dotted(self.where)}: {self.what}" if self.where else self.what


class SyncConfigError(dg.DagsterInvalidDefinitionError):
    """A sync that cannot be built. The message lists every problem, a line each; `problems` has them as values."""

    def __init__(self, title: str, problems: Sequence[Problem], lines: Iterable[str] | None = None) -> None:
        self.title = title
        self.problems = tuple(problems)
        self.lines = tuple(_printable(str(line)) for line in lines or self.problems)
        super().__init__("\n".join([title, *(f"  {line}" for line in self.lines)]))


def _printable(line: str) -> str:
    """What was written may hold a line break or a sign nobody sees: they are shown as `\\n`, `\\u200b`."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)


def dotted(where: Where) -> str:
    """`("match_on", 1)` → `match_on[1]`, `("fields", "custom.planStr")` → `fields.custom.planStr`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")


def listed(names: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def did_you_mean(word: object, known: Collection[str]) -> str:
    """` Did you mean "mode"?`, or nothing when no known word is near."""
    if word in known:
        return ""
    near = close_matches(str(word), list(known))
    return f' Did you mean "{near[0]}"?' if near else ""


_PLAIN_WORDS = {
    "list_type": "has to be a list: [first, second]",
    "dict_type": "has to be keys and values: {key: value}",
    "model_type": "has to be keys and values: {key: value}",
    "string_too_short": "nothing is written here",
    "too_short": "is empty",
    "float_parsing": "has to be a number",
    "float_type": "has to be a number",
    "int_parsing": "has to be a whole number",
    "int_type": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "path_type": "has to be the name of a file",
    "invalid_key": "a key has to be text",
}


def problems_in(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """The problems behind a pydantic error, in the words of the YAML file."""
    for detail in error.errors(include_url=False):
        where = detail["loc"]
        if where[:1] == ("fields",):  # its third part is pydantic's: an alternative of the union, "the key itself"
            where = (*where[:2], *where[3:])
        yield Problem(where, _in_words(detail, where, model))


def _in_words(detail: Mapping[str, Any], where: Where, model: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"is missing. {_description(model, where)}".rstrip()
    if kind == "extra_forbidden" and where[:2] == ("fields", "custom"):
        return f"write it as a field of its own, custom.{where[-1]}"
    if kind == "extra_forbidden":
        known = [name for name in _fields(_model_at(model, where[:-1])) if name != "name"]
        return f"is not a known key.{did_you_mean(where[-1], known)} Known keys: {', '.join(known)}"
    if kind == "literal_error":
        # pydantic lists the choices as 'a', 'b' or 'c'.
        choices = re.findall(r"'([^']*)'", context["expected"])
        if value is None:
            return f"nothing is written here; use {listed(choices)}"
        return f"{value!r} is not allowed; use {listed(choices)}.{did_you_mean(value, choices)}"
    if kind == "string_type":
        if isinstance(value, list | tuple | dict):
            return f"has to be text, not {'keys and values' if isinstance(value, dict) else 'a list'}"
        return "has to be text; " + ("put it in quotes" if value is not None else "nothing is written here")
    if kind in _PLAIN_WORDS:
        return _PLAIN_WORDS[kind]
    if kind in {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}:
        return f"{value!r} is out of range: {detail['msg'].removeprefix('Input should be ')}"
    return str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "has to be")


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their names in YAML."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], where: Where) -> type[BaseModel]:
    """The model of the nested mapping at `where`: `("watch",)` → `Watch`."""
    for part in where:
        field = _fields(model).get(str(part))
        if field is not None:
            model = next(_models_in(field.annotation), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None:
        for argument in get_args(annotation):
            yield from _models_in(argument)


def _description(model: type[BaseModel], where: Where) -> str:
    field = _fields(_model_at(model, where[:-1])).get(str(where[-1]))
    return (field.description or "") if field is not None else ""


def raise_located(error: SyncConfigError, positions: Any) -> NoReturn:
    """Raise `error` with the file and line of each problem; `positions` is Dagster's source position tree."""
    # A key that is missing has no line: that of the mapping it belongs to is the nearest.
    located = [
        (positions.lookup_closest_and_path(("attributes", *problem.where), None)[0], problem)
        for problem in error.problems
    ]
    located.sort(key=lambda pair: pair[0].start.line)
    folder = Path(positions.position.filename).parent.name
    raise SyncConfigError(
        f"The sync {folder!r} cannot be loaded:",
        [problem for _, problem in located],
        [f"{position}  {problem}" for position, problem in located],
    ) from None
