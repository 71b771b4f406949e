"""Looking fields up in the catalogue and checking a sync's field mappings before any row is read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import get_args

import phonenumbers

from . import catalogue
from .errors import FieldConfigError, UnknownFieldError
from .kinds import FieldMapping, FieldType, ListAttribute, Missing, Operation, Write

_CUSTOM_KEY = re.compile(r"[a-z][A-Za-z0-9]*")


def field_type(object_name: str, field: str) -> FieldType:
    """The catalogue entry of `field`, e.g. "email" or "custom.planStr".

    Raises UnknownFieldError with near matches and what is allowed.
    """
    fields = _fields_of(object_name)
    if field.startswith("custom."):
        return _custom_type(field)
    if field not in fields:
        raise _unknown(object_name, field, fields)
    return fields[field]


def field_names(object_name: str) -> tuple[str, ...]:
    """Every standard field of `object_name` ("customers" or "companies"); custom attributes come besides."""
    return tuple(_fields_of(object_name))


def list_attributes(object_name: str) -> Mapping[str, ListAttribute]:
    """The list attributes of `object_name` by their key in Kustomer's body ("emails", "tags", …)."""
    _fields_of(object_name)
    return catalogue.LIST_ATTRIBUTES[object_name]


def required_fields(object_name: str) -> tuple[str, ...]:
    """The fields every row must have: customers ("email",), companies ("name",)."""
    _fields_of(object_name)
    return catalogue.REQUIRED[object_name]


def nullable_fields(object_name: str, operation: Operation = "update") -> frozenset[str]:
    """The body attributes for which Kustomer takes null, which clears them. Custom attributes take it besides."""
    names = {field.attribute for field in _fields_of(object_name).values() if field.nullable}
    return frozenset(names - catalogue.NOT_NULLABLE_AT_CREATE[object_name] if operation == "create" else names)


def check_fields(
    fields: Sequence[FieldMapping],
    object_name: str,
    match_on: Sequence[str],
    *,
    default_region: str | None = None,
) -> None:
    """Raise FieldConfigError (`.field` says where) unless the mappings can work; looks at no data."""
    if not fields:
        raise FieldConfigError("fields", f"no field is mapped; map at least {', '.join(required_fields(object_name))}")
    seen: set[str] = set()
    for mapping in fields:
        _check_mapping(mapping, field_type(object_name, mapping.field))
        if mapping.field in seen:
            raise FieldConfigError(mapping.field, f"{mapping.field} is mapped twice; keep one")
        seen.add(mapping.field)
    custom = sum(name.startswith("custom.") for name in seen)
    if custom > catalogue.MAX_CUSTOM_PROPERTIES:
        raise FieldConfigError(
            "custom",
            f"{custom} custom attributes are mapped, at most {catalogue.MAX_CUSTOM_PROPERTIES} can be",
        )
    _check_match_on(match_on, object_name, seen)
    if default_region is not None and default_region not in phonenumbers.SUPPORTED_REGIONS:
        raise FieldConfigError(
            "default_region",
            f"default_region {default_region!r} is not a country code such as US or GB (two capital letters)",
        )


def _fields_of(object_name: str) -> Mapping[str, FieldType]:
    if object_name not in catalogue.FIELDS:
        raise FieldConfigError("object", f"object {object_name!r} is not known; use {' or '.join(catalogue.FIELDS)}")
    return catalogue.FIELDS[object_name]


def _custom_type(field: str) -> FieldType:
    key = field.removeprefix("custom.")
    for suffix, (value, max_length, description) in catalogue.CUSTOM_SUFFIXES.items():
        if key.endswith(suffix) and len(key) > len(suffix) and _CUSTOM_KEY.fullmatch(key):
            return FieldType(
                name=field, attribute="custom", custom_key=key, shape="custom", value=value,
                max_length=max_length, description=description, nullable=True,
            )  # fmt: skip
    suffixes = ", ".join(catalogue.CUSTOM_SUFFIXES)
    key = _in_camel_case(key)
    suggestion = next((f"custom.{key[: -len(s)]}{s}" for s in catalogue.CUSTOM_SUFFIXES
                       if len(key) > len(s) and key.lower().endswith(s.lower())), None)  # fmt: skip
    if suggestion is None or not _CUSTOM_KEY.fullmatch(key):
        suggestion = "custom.planStr"
        hint = f"for instance {suggestion}"
    else:
        hint = f"did you mean {suggestion}?"
    raise UnknownFieldError(
        field,
        f"{field} is not the name of a custom attribute: letters and digits in camelCase, then its type "
        f"({suffixes}); {hint}",
        (suggestion,),
    )


def _in_camel_case(key: str) -> str:
    """`life_time_valueNum` as Kustomer would have it: `lifeTimeValueNum`."""
    first, *others = filter(None, re.split(r"[_\-\s]+", key)) if re.search(r"[A-Za-z]", key) else ("",)
    return first[:1].lower() + first[1:] + "".join(word[0].upper() + word[1:] for word in others)


def _unknown(object_name: str, field: str, fields: Mapping[str, FieldType]) -> UnknownFieldError:
    if field in catalogue.NOT_MAPPABLE:
        return UnknownFieldError(field, f"{field} cannot be mapped: {catalogue.NOT_MAPPABLE[field]}")
    near = close_matches(field, list(fields))
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    custom = "" if field == "custom" else f"for a custom attribute write custom.{field or 'plan'}Str; "
    return UnknownFieldError(
        field,
        f"{object_name} have no field {field!r}; {hint}{custom}allowed: {', '.join(fields)}, custom.<name><type>",
        near,
    )


def close_matches(word: str, possibilities: Sequence[str]) -> list[str]:
    """Up to three near misses; case, blanks, `_` and `-` do not count."""

    def plain(text: str) -> str:
        return re.sub(r"[\s_-]", "", text).lower()

    by_plain: dict[str, str] = {}
    for possibility in possibilities:
        by_plain.setdefault(plain(possibility), possibility)
    return [by_plain[match] for match in difflib.get_close_matches(plain(word), list(by_plain), n=3, cutoff=0.7)]


def _check_mapping(mapping: FieldMapping, kind: FieldType) -> None:
    name = mapping.field
    if not mapping.columns or not all(mapping.columns):
        raise FieldConfigError(name, f"{name} names no column")
    if len(mapping.columns) > 1 and not kind.several_columns:
        raise FieldConfigError(name, f"{name} takes one column, not {len(mapping.columns)} ({_join(mapping.columns)})")
    if len(set(mapping.columns)) < len(mapping.columns):
        raise FieldConfigError(name, f"{name} names the same column twice ({_join(mapping.columns)})")
    if mapping.write not in get_args(Write):
        raise FieldConfigError(name, f"{name}: write is {mapping.write!r}; use {' or '.join(get_args(Write))}")
    if mapping.match is not None and kind.shape != "company":
        raise FieldConfigError(name, f"{name}: match belongs to company only")
    if mapping.match is not None and mapping.match not in catalogue.COMPANY_LINKS:
        allowed = ", ".join(catalogue.COMPANY_LINKS)
        raise FieldConfigError(name, f"{name}: match is {mapping.match!r}; use one of {allowed}")
    if mapping.missing is not None and kind.shape != "company":
        raise FieldConfigError(name, f"{name}: missing belongs to company only")
    if mapping.missing not in (None, *get_args(Missing)):
        raise FieldConfigError(name, f"{name}: missing is {mapping.missing!r}; use {' or '.join(get_args(Missing))}")
    if mapping.missing is not None and mapping.match == "id":
        raise FieldConfigError(name, f"{name}: nobody looks for a company by match: id, so none is missing; remove it")


def _check_match_on(match_on: Sequence[str], object_name: str, mapped: set[str]) -> None:
    allowed = catalogue.MATCH_ON[object_name]
    if not match_on:
        raise FieldConfigError("match_on", f"match_on names no field; use one or more of {', '.join(allowed)}")
    for rung in match_on:
        if rung not in allowed:
            raise FieldConfigError(rung, f"match_on {rung!r} cannot identify {object_name}; use {', '.join(allowed)}")
        if rung not in mapped:
            raise FieldConfigError(rung, f"match_on names {rung}, which no column is mapped to; add it to fields")
    if len(set(match_on)) < len(match_on):
        raise FieldConfigError("match_on", f"match_on names a field twice ({_join(match_on)})")


def _join(names: Sequence[str]) -> str:
    return ", ".join(names)
