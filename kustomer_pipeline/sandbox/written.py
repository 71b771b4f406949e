"""Whether a body is a customer or company: the schemas of bodies.py, and what they cannot say."""

from __future__ import annotations

from typing import Any

from .bodies import body_schema, refuse_number_twice
from .call import Call
from .custom import check_custom
from .errors import bad_parameter
from .records import Json, Record
from .validation import validate


def check_record(
    call: Call, kind: str, body: Any, *, create: bool, bulk: bool = False, client_ref: bool = False
) -> None:
    """Raise the 400 of a body that is not a customer or company."""
    path = "/items" if bulk else ""
    lenient = bool(call.fault("lenient_nulls"))
    schema = body_schema(kind, create=create, bulk=bulk, client_ref=client_ref, lenient=lenient)
    validate(body, schema, path=path)
    refused = call.fault("item_form_refused")
    if refused:
        _refuse_text(body, refused.value, path)
    _check_new_phones(call, kind, body, path)
    if "whatsapps" in schema["properties"]:
        refuse_number_twice(body, path)
    if "custom" in body:
        store = call.state.store
        check_custom(
            body["custom"],
            store.metadata.of(kind),
            declared_only=bool(call.fault("custom_declared_only")),
            exists=store.exists,
            path=path,
        )


def _refuse_text(body: Json, text: str, path: str) -> None:
    for name, value in body.items():
        if _holds(value, text):
            raise bad_parameter("Not in the required format", name, f"{path}/properties/{name}/format")


def _holds(value: Any, text: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(inner, text) for inner in value.values())
    if isinstance(value, list):
        return any(_holds(inner, text) for inner in value)
    return isinstance(value, str) and text in value


def _check_new_phones(call: Call, kind: str, body: Json, path: str) -> None:
    """A new phone has a plus; one without is accepted where the record has it already."""
    for name in ("phones", "sharedPhones"):
        plain = [item["phone"] for item in body.get(name, ()) if not item["phone"].startswith("+")]
        if plain and not set(plain) <= _held_phones(call, kind, body, name):
            place = f"{path}/properties/{name}/items/properties/phone/format"
            raise bad_parameter("Not in the required format", "phone", place)


def _held_phones(call: Call, kind: str, body: Json, name: str) -> set[str]:
    record_id = body.get("id") or (call.variables[0] if call.variables else "")
    record: Record | None = call.state.store.find(kind, record_id)
    return {item["phone"] for item in record.attributes.get(name, ())} if record else set()
