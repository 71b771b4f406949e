"""Dagster's templates in YAML values: `"{{ env.CRM_SCHEMA }}"`.

Only text that holds `{{` is rendered. Dagster's own rendering would turn "1" into a number, and read `{%` in
SQL as a template.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from .sync_config import Problem, SyncConfigError, Where


def rendered(attributes: Mapping[str, Any], context: dg.ResolutionContext) -> dict[str, Any]:
    """The attributes with every template replaced by its value; SyncConfigError where that fails."""
    problems: list[Problem] = []
    values = {key: _rendered(value, (key,), context, problems) for key, value in attributes.items()}
    if problems:
        raise SyncConfigError("", problems)
    return values


def _rendered(value: Any, where: Where, context: dg.ResolutionContext, problems: list[Problem]) -> Any:
    if isinstance(value, Mapping):
        return {key: _rendered(item, (*where, key), context, problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, (*where, i), context, problems) for i, item in enumerate(value)]
    if not isinstance(value, str) or "{{" not in value:
        return value
    try:
        result: Any = context.resolve_value(value)
    except Exception as error:  # Whatever a template may raise, the reader needs to know which one it was.
        reason = str(error).strip().splitlines()[-1]
        problems.append(Problem(where, f"the template {value!r} failed: {reason}"))
        return value
    nothing = value if result is None else next(_parts_without_value(value, context), None)
    if nothing is not None:
        problems.append(Problem(where, f"the template {nothing!r} gives nothing; is the variable set?"))
    return result


def _parts_without_value(text: str, context: dg.ResolutionContext) -> Iterator[str]:
    """Templates within a longer text that give nothing: the text would just lack them."""
    parts: list[str] = re.findall(r"\{\{.*?\}\}", text, re.DOTALL)
    for part in parts:
        try:
            if context.resolve_value(part) is None:
                yield part
        except Exception:  # no template on its own: a variable of a loop, }} in quotes
            continue
