"""The signature of a sync says what its rows mean: when it differs, every row counts as changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, audience, companies, customers

LINK = FieldMapping("company", ("a",), match="name", write="if_empty")


@pytest.mark.parametrize(
    ("spec", "signature"),
    [
        (customers(), "f7b168a00e2676a1"),
        (companies(), "b5661e8c7ed9761e"),
        (audience(), "c045314a17e43186"),
        (customers(fields=(*CUSTOMER_FIELDS, LINK)), "5b6f33ee573dc06d"),
    ],
)
def test_it_is_what_earlier_versions_wrote_down(spec: ObjectSpec | AudienceSpec, signature: str) -> None:
    """A new attribute of a field would change it without anybody seeing: a million rows would be read again."""
    assert spec.signature == signature


@pytest.mark.parametrize("changes", [{"show": True}, {"missing": "send_without"}, {"missing": "reject"}])
def test_what_is_shown_and_what_becomes_of_missing_companies_is_not_in_it(changes: dict[str, object]) -> None:
    spec, changed = (customers(fields=(*CUSTOMER_FIELDS, link)) for link in (LINK, replace(LINK, **changes)))  # type: ignore[arg-type]
    assert spec.signature == changed.signature


@pytest.mark.parametrize("changes", [{"columns": ("other",)}, {"match": "externalId"}, {"write": "overwrite"}])
def test_what_a_field_means_is(changes: dict[str, object]) -> None:
    spec, changed = (customers(fields=(*CUSTOMER_FIELDS, link)) for link in (LINK, replace(LINK, **changes)))  # type: ignore[arg-type]
    assert spec.signature != changed.signature
