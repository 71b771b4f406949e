"""The reference of the site, written from the code: attributes, run config, checks, environment variables.

schema of a component, SyncRunConfig, check specs, the README's table → Markdown under a marker of docs/reference/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import yaml
from pydantic import BaseModel

from kustomer_pipeline import AudienceSync, KustomerProject, ObjectSync
from kustomer_pipeline.components.drift import drift_check_spec
from kustomer_pipeline.components.mapped_checks import mapped_check_specs
from kustomer_pipeline.components.run_config import PlanRunConfig, SyncRunConfig
from kustomer_pipeline.components.sync_checks import sync_check_specs
from kustomer_pipeline.components.sync_config import Drift
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import table

Schema = Mapping[str, Any]
Component = type[ObjectSync | AudienceSync | KustomerProject]
COMPONENTS: Final[dict[str, Component]] = {
    "ObjectSync": ObjectSync,
    "AudienceSync": AudienceSync,
    "KustomerProject": KustomerProject,
}
_CHECKED = {"_mapped": "mapped rows", "_drift": "drift"}
_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}


def schema_of(component: Component) -> dict[str, Any]:
    """The JSON schema that editors and the page of the component in Dagster use."""
    model: type[BaseModel] | None = component.get_model_cls()
    assert model is not None
    return model.model_json_schema()


def attributes(name: str) -> str:
    """The attributes of a component, and below them the parts that they are made of."""
    whole = schema_of(COMPONENTS[name])
    parts = ["## Attributes\n", *_attributes(whole, whole, "###")]
    for part, schema in whole.get("$defs", {}).items():
        if "properties" in schema:
            parts += [f"## {part}\n", f"{_one_line(schema.get('description', ''))}\n"]
            parts += _attributes(schema, whole, "###")
    return "\n".join(parts)


def _attributes(schema: Schema, whole: Schema, rank: str) -> Iterator[str]:
    required = schema.get("required", ())
    # What has to be written comes first.
    for name, one in sorted(schema["properties"].items(), key=lambda pair: pair[0] not in required):
        facts = ["required"] if name in required else [f"default {_value(one.get('default'))}"]
        yield f"{rank} {name}\n"
        yield f"*{type_of(one, whole)}, {facts[0]}*\n"
        yield f"{_one_line(one.get('description', ''))}\n"
        for example in one.get("examples", ()):
            yield f"```yaml\n{name}: {_as_yaml(example)}\n```\n"


def type_of(schema: Schema, whole: Schema) -> str:
    """A type in words: `list of text`, `whole number or null`, a link to a part."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = whole["$defs"][name]
        return f"[{name}](#{name.lower()})" if "properties" in target else type_of(target, whole)
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{choice}`" for choice in schema.get("enum", [schema.get("const")]))
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(type_of(one, whole) for one in schema[union]))
    kind = str(schema.get("type", ""))
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}), whole)}"
    if kind == "object":
        return f"keys and values, each {type_of(schema.get('additionalProperties', {}), whole)}"
    return _WORDS.get(kind, kind)


def run_config() -> str:
    """The options of a run, and which of them a plan takes too."""
    lines = ["| key | default | a plan too | what it does |", "|---|---|---|---|"]
    for name, field in SyncRunConfig.model_fields.items():
        plan = "yes" if name in PlanRunConfig.model_fields else ""
        lines.append(f"| `{name}` | {_value(field.default)} | {plan} | {_one_line(field.description or '')} |")
    return "\n".join(lines) + "\n"


def checks() -> str:
    """Every check of either kind of sync."""
    of_kind = {"objects": _an_object_sync(), "audiences": _an_audience_sync()}
    found: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for kind, sync in of_kind.items():
        for spec in [*mapped_check_specs(sync), *sync_check_specs(sync), drift_check_spec(sync)]:
            on = _CHECKED.get(spec.asset_key.path[-1].removeprefix(sync.name), "sync")
            found.setdefault((spec.name, on), (spec.description or "", []))[1].append(kind)
    lines = ["| check | on | of | passes when |", "|---|---|---|---|"]
    for (name, on), (says, kinds) in found.items():
        lines.append(f"| `{name}` | {on} | {' and '.join(kinds)} | {_one_line(says)} |")
    return "\n".join(lines) + "\n"


def environment() -> str:
    """The variables, from the README's table, which a test holds against the code."""
    rows = table((REPOSITORY / "README.md").read_text(encoding="utf-8"), "variable")
    lines = [f"| {name} | {_from_here(says)} |" for name, says in rows]
    return "\n".join(["| variable | what it is |", "|---|---|", *lines]) + "\n"


def _from_here(text: str) -> str:
    """Links of the README, as a page of docs/reference/ writes them."""
    text = re.sub(r"\]\((?=#)", "](../../README.md", text)
    return re.sub(r"\]\((?![a-z]+:|\.\./)", "](../../", text)


def _an_object_sync() -> ObjectSync:
    fields = {"name": "name"}
    return ObjectSync(name="a", object="companies", query="select 1", match_on=["name"], fields=fields, drift=Drift())


def _an_audience_sync() -> AudienceSync:
    return AudienceSync(name="b", tag="vip", query="select 1", fields={"email": "email"}, drift=Drift())


def _as_yaml(value: Any) -> str:
    """A value on one line."""
    written = str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000))
    return written.removesuffix("...\n").strip()


def _value(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`" if value is not None else "none"


def _one_line(text: str) -> str:
    """One line that fits into a cell: what stands between < and > is no HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


GENERATED: Final[dict[str, Callable[[], str]]] = {
    **{name: partial(attributes, name) for name in COMPONENTS},
    "run config": run_config,
    "checks": checks,
    "environment": environment,
}
