"""Which Kustomer is talked to, and which role allows what."""

from __future__ import annotations

import pytest

from kustomer_pipeline.kustomer import ConfigurationError, base_url_for, missing_roles


@pytest.mark.parametrize(
    "given,expected",
    [
        ({"org": "acme"}, "https://acme.api.kustomerapp.com"),
        ({"org": " Acme-2 ", "region": "", "base_url": None}, "https://acme-2.api.kustomerapp.com"),
        ({"region": "us"}, "https://api.kustomerapp.com"),
        ({"region": "EU"}, "https://api.prod2.kustomerapp.com"),
        ({"region": "in"}, "https://api.prod4.kustomerapp.com"),
        ({"base_url": "https://acme.api.kustomerapp.com/"}, "https://acme.api.kustomerapp.com"),
        ({"base_url": "https://acme.api.kustomerapp.com/v1/"}, "https://acme.api.kustomerapp.com"),
        ({"base_url": "http://localhost:8765"}, "http://localhost:8765"),
        ({"base_url": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
        ({"base_url": "http://[::1]:1"}, "http://[::1]:1"),
    ],
)
def test_exactly_one_setting_says_where_kustomer_is(given: dict[str, str], expected: str) -> None:
    assert base_url_for(**given) == expected


@pytest.mark.parametrize(
    "given,named",
    [
        ({}, "org .* region .* base_url"),
        ({"org": " "}, "org"),
        ({"org": "acme", "region": "us"}, "org and region are set"),
        ({"org": "https://acme.kustomerapp.com"}, "org is the bare name"),
        ({"org": "acme.evil"}, "org is the bare name"),
        ({"region": "mars"}, "us, eu or in"),
        ({"base_url": "acme.api.kustomerapp.com"}, "base_url must be an address"),
        ({"base_url": "https://a:port"}, "base_url is not an address"),
        ({"base_url": "http://acme.api.kustomerapp.com"}, "must start with https"),
        ({"base_url": "http://localhost.evil.com"}, "must start with https"),
        ({"base_url": "https://u:p@acme.com"}, "a host and nothing else"),
        ({"base_url": "https://acme.com/v2"}, "no path"),
        ({"base_url": "https://acme.com/v1?x=1"}, "a host and nothing else"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        base_url_for(**given)


ALL = [
    "customer.read",
    "customer.create",
    "customer.update",
    "company.read",
    "company.create",
    "company.update",
    "bulk.read",
    "search",
]


@pytest.mark.parametrize(
    "roles,actions,missing",
    [
        ([], ALL, ()),
        (["org"], ALL, ()),
        (["org.permission"], ALL, ()),
        (["org.user"], ALL, ()),
        (["org.permission.customer", "org.permission.bulk"], ["customer.create", "bulk.read"], ()),
        (["org.user.customer.write"], ["customer.create", "customer.update"], ()),
        (["org.user.customer.write"], ["customer.read"], ("org.permission.customer.read",)),
        (["org.permission.search_preview.create"], ["search"], ()),
        (["org.admin.search.read"], ["search"], ()),
        (["org.permission.customer.rea"], ["customer.read"], ("org.permission.customer.read",)),
        (["org.permission.customers"], ["customer.read"], ("org.permission.customer.read",)),
        (
            ["org.permission.company.read"],
            ["company.read", "company.update", "bulk.read"],
            ("org.permission.company.update", "org.permission.bulk.read"),
        ),
    ],
)
def test_new_names_old_names_and_prefixes_all_grant(
    roles: list[str], actions: list[str], missing: tuple[str, ...]
) -> None:
    assert missing_roles(roles, actions) == missing


def test_a_role_of_unknown_breadth_lets_kustomer_decide() -> None:
    assert () == missing_roles(["org.admin"], ["customer.read"])
    assert () == missing_roles(["org.permission.company", "org.tracking"], ["customer.read"])
    assert ("org.permission.customer.read",) == missing_roles(["org.permission.company"], ["customer.read"])
    assert ("org.permission.customer.read",) == missing_roles(["org.admin.search.read"], ["customer.read"])
    assert () == missing_roles(["org.user"], ["customer.read"])
