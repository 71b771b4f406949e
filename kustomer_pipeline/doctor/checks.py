"""All checks, in the order in which each may build on those before it."""

from __future__ import annotations

from typing import Final

from . import check_budget, check_key, check_lists, check_rest, check_search, check_setting, check_syncs
from .engine import Check

CHECKS: Final = (
    Check("setting", "address", check_setting.address, "nothing"),
    Check("setting", "state", check_setting.state, "nothing"),
    Check("setting", "Dagster", check_setting.dagster_home, "nothing"),
    Check("syncs", "syncs", check_syncs.loaded, "nothing"),
    Check("setting", "warehouse", check_setting.warehouse, "nothing"),
    Check("key", "key", check_key.key, "nothing"),
    Check("key", "roles", check_key.roles),
    Check("key", "roles for syncs", check_key.needed_roles),
    # What syncs depend on comes before what is only good to know, should the requests run out.
    Check("attributes", "custom attributes", check_syncs.custom_attributes),
    Check("syncs", "tags", check_syncs.tags_of_audiences),
    Check("syncs", "what is remembered", check_syncs.remembered_of_syncs),
    Check("org", "missing role", check_rest.missing_role),
    Check("org", "errors", check_lists.error_form),
    Check("org", "list of customers", check_lists.list_of_customers),
    Check("org", "list of companies", check_lists.list_of_companies),
    Check("org", "list by time", check_lists.list_filter, "customers"),
    Check("org", "ids in one GET", check_lists.ids_at_once, "customers"),
    Check("org", "attributes not set", check_lists.unset_attributes, "customers"),
    Check("org", "look-ups", check_rest.look_ups, "customers"),
    Check("org", "companies in one GET", check_lists.companies_at_once, "companies"),
    Check("org", "companies by externalId", check_lists.company_look_ups, "companies"),
    Check("org", "search with in", check_search.many_values, "search"),
    Check("org", "search criteria", check_search.criteria, "search"),
    Check("org", "search by tag", check_search.tags, "search"),
    Check("org", "search by e-mail", check_search.looseness, "search"),
    Check("org", "search reach", check_search.reach, "search"),
    Check("org", "search queryContext", check_search.context, "search"),
    Check("org", "search for old records", check_search.old_records, "search"),
    Check("org", "search by company_externalId", check_search.company_external_id, "companies"),
    Check("org", "tags", check_rest.tags),
    Check("org", "bulk batches", check_rest.batches),
    Check("org", "remembered", check_rest.remembered),
    Check("key", "region", check_key.region),
    Check("key", "a dearer way", check_key.missing_abilities),
    Check("budget", "limit", check_budget.limit),
    Check("budget", "others", check_budget.others),
    Check("budget", "reserve", check_budget.reserve),
    Check("budget", "reset header", check_budget.reset_header),
)
