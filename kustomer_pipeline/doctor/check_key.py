"""Whose key it is, where its org lives, what it may do, and what that costs."""

from __future__ import annotations

from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.kustomer import (
    REGION_OF_POD,
    AuthenticationError,
    KustomerError,
    PermissionDeniedError,
    missing_roles,
)
from kustomer_pipeline.resources import in_variables
from kustomer_pipeline.sync import actions_of

from .facts import Facts
from .findings import Finding, Level

SECTION = "key"
_NEW_KEY = (
    "The roles of a key cannot be changed: make a new one in Kustomer under Settings > Security > API Keys, and set "
    "{}_API_KEY to it."
)


def key(facts: Facts) -> list[Finding]:
    """The first request: Kustomer answers, and knows the key."""
    if facts.settings.client is None:
        return []
    try:
        facts.token = token = facts.ask(facts.client.token())
    except KustomerError as error:
        says = in_variables(str(error), facts.settings.variables)
        return [Finding(SECTION, "key", Level.PROBLEM, says, _advice_on(error, facts))]
    says = f"the key {token.name!r} of the org {token.org_id}"
    return [Finding(SECTION, "key", Level.OK, says, value={"name": token.name, "org_id": token.org_id})]


def _advice_on(error: KustomerError, facts: Facts) -> str:
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        prefix = facts.settings.variables
        if f"{prefix}_REGION" in in_variables(str(error), prefix):
            return f"Set {prefix}_REGION as said, in place of {facts.settings.address_variable}; or set {prefix}_ORG."
        return f"Check {prefix}_API_KEY, and that the key is of the org at this address."
    return f"Check {facts.settings.address_variable}, and whether the network lets you reach it."


def region(facts: Facts) -> list[Finding]:
    """Which region answered, as its header says."""
    pod = facts.seen.pod
    if pod is None:
        return [Finding(SECTION, "region", Level.UNKNOWN, "the answers do not name one, and none is needed")]
    says = f"{REGION_OF_POD[pod]} ({pod})" if pod in REGION_OF_POD else pod
    return [Finding(SECTION, "region", Level.OK, says, value={"pod": pod, "region": REGION_OF_POD.get(pod)})]


def roles(facts: Facts) -> list[Finding]:
    """What the key says of itself, and what it does not say."""
    held = facts.token.roles if facts.token else ()
    found = Finding(SECTION, "roles", Level.OK, ", ".join(held), value=list(held))
    if not held:
        found = Finding(SECTION, "roles", Level.UNKNOWN, "Kustomer does not list the roles of this key")
    says = "Kustomer does not tell when a key expires"
    advice = "Look at it in Kustomer under Settings > Security > API Keys."
    return [found, Finding(SECTION, "expiry", Level.UNKNOWN, says, advice)]


def needed_roles(facts: Facts) -> list[Finding]:
    """For each sync, the roles without which it does not start."""
    held = facts.token.roles if facts.token else ()
    return [_needed_by(sync, held, facts.settings.variables) for sync in facts.syncs]


def _needed_by(sync: SyncConfig, held: tuple[str, ...], variables: str) -> Finding:
    name = f"roles for {sync.name}"
    if missing := missing_roles(held, actions_of(sync.spec)):
        says = f"{', '.join(missing)} missing: the sync does not start without"
        return Finding(SECTION, name, Level.PROBLEM, says, _NEW_KEY.format(variables), list(missing))
    return Finding(SECTION, name, Level.OK, "all that it needs", value=[])


def missing_abilities(facts: Facts) -> list[Finding]:
    """What the key may not do though nothing needs it, and what that costs. Looked at last, when all was tried."""
    found = []
    for line in facts.client.abilities.lines():
        says, _, advice = line.partition(". ")
        found.append(Finding(SECTION, "a dearer way", Level.WARNING, f"{says}.", advice, line))
    return found
