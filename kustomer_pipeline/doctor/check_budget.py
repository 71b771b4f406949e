"""The org's request budget: how large, who else draws on it, what is left to syncs. Costs nothing: the answers to all
other checks say it."""

from __future__ import annotations

from itertools import pairwise

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from .facts import Facts
from .findings import Finding, Level
from .observer import Budget

SECTION = "budget"
_SEARCHES = 100  # a minute and key; no header tells (docs/kustomer.md section 3)
_BUSY = 0.5  # of the limit: from here on others leave little


def limit(facts: Facts) -> list[Finding]:
    """Limit and rest."""
    told = [one for one in facts.seen.budgets if one.limit is not None and one.remaining is not None]
    if not told:
        says = "the answers carry no x-ratelimit headers: 1,000 requests a minute are assumed"
        return [Finding(SECTION, "limit", Level.UNKNOWN, says, "Look at Settings > Platform > Platform Limits.")]
    last = told[-1]
    value = {"limit": last.limit, "remaining": last.remaining}
    says = f"{quantity(last.limit or 0, *REQUESTS)} a minute for the whole org, {last.remaining:,} left in this one"
    return [Finding(SECTION, "limit", Level.OK, says, value=value)]


def others(facts: Facts) -> list[Finding]:
    """What everybody else spends: what was gone before the first request, and between any two of ours."""
    told = [one for one in facts.seen.budgets if one.limit and one.remaining is not None]
    if not told:
        return [Finding(SECTION, "others", Level.UNKNOWN, "what others use cannot be seen without the headers")]
    first, last = told[0], told[-1]
    gone = max(0, (first.limit or 0) - (first.remaining or 0) - 1)
    meanwhile = sum(_between(one, other) for one, other in pairwise(told))
    seconds = last.at - first.at
    says = f"{quantity(gone, 'request of the minute was', 'requests of the minute were')} gone before the first of "
    says += f"these; {meanwhile:,} by others since, in {seconds:.0f} s"
    value = {"gone_before": gone, "meanwhile": meanwhile, "seconds": round(seconds, 1)}
    if gone > _BUSY * (first.limit or 0):
        advice = "Syncs slow down beside others: run at another time, or see Settings > Platform > Platform Limits."
        return [Finding(SECTION, "others", Level.WARNING, says, advice, value)]
    return [Finding(SECTION, "others", Level.OK, says, value=value)]


def _between(one: Budget, other: Budget) -> int:
    """What is missing more than our own request; nothing where a new window began."""
    return max(0, (one.remaining or 0) - (other.remaining or 0) - 1)


def reserve(facts: Facts) -> list[Finding]:
    """What is left to this project."""
    client: KustomerClient = facts.client
    share, a_minute = client.probe.rate_reserve, client.requests_a_second * 60
    says = (
        f"{share:.0%} are left to others (KUSTOMER_RATE_RESERVE): at most {a_minute:,.0f} requests a minute for syncs"
    )
    value = {"rate_reserve": share, "requests_a_minute": round(a_minute)}
    searches = round(_SEARCHES * (1 - share))
    return [
        Finding(SECTION, "reserve", Level.OK, says, value=value),
        Finding(
            SECTION,
            "searches",
            Level.OK,
            f"{_SEARCHES} a minute and key, as documented; no header tells. At most {searches} are used",
            value={"limit": _SEARCHES, "used_at_most": searches},
        ),
    ]


def reset_header(facts: Facts) -> list[Finding]:
    """In which form x-ratelimit-reset comes."""
    forms = sorted(facts.seen.reset_forms)
    if not forms:
        says = "x-ratelimit-reset comes only when a limit is reached, if at all; until then a window is 60 s"
        return [Finding(SECTION, "reset header", Level.OK, says, value=[])]
    return [Finding(SECTION, "reset header", Level.OK, f"{', '.join(forms)}; all forms are understood", value=forms)]
