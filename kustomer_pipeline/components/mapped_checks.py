"""The checks on the mapped rows. None of them blocks: the sync leaves out bad rows itself, a check says what they are.

A check warns while the share of bad rows is at most `max_failure_share`, and is an error above it.
"""

import dagster as dg
import pandas as pd

from kustomer_pipeline.mapping import ReasonCode, reason_lines
from kustomer_pipeline.sync.wording import ARE, ROWS, part

from .keys import mapped_key
from .severity import severity
from .sync_config import SyncConfig
from .tables import masked_keys, table

EXAMPLES = 20

REQUIRED = "required_fields"
UNIQUE = "row_keys_unique"
VALID = "fields_valid"

CHECKS = {
    REQUIRED: "Every row has the fields that Kustomer or match_on cannot do without.",
    UNIQUE: "No two rows claim one record: each key, e-mail, phone and external id is there once.",
    VALID: "Every value is what its Kustomer field takes: type, length, format.",
}

# What a reason of the mapping belongs to, by its code; every other code is about the value of a field.
_CHECK_OF = {
    str(ReasonCode.MISSING): REQUIRED,
    str(ReasonCode.UNMATCHED): REQUIRED,
    str(ReasonCode.DUPLICATE): UNIQUE,
}


def mapped_check_specs(sync: SyncConfig) -> list[dg.AssetCheckSpec]:
    """The checks on the mapped rows."""
    return [
        dg.AssetCheckSpec(name, asset=mapped_key(sync), description=description) for name, description in CHECKS.items()
    ]


def mapped_check_results(sync: SyncConfig, mapped: pd.DataFrame) -> list[dg.AssetCheckResult]:
    """Which rows are invalid, why, and how many; a row with several reasons shows up in several checks."""
    lines = reason_lines(mapped)
    check_of = lines["code"].map(lambda code: _CHECK_OF.get(code, VALID))
    return [_result(sync, name, lines[check_of == name], len(mapped)) for name in CHECKS]


def _result(sync: SyncConfig, name: str, lines: pd.DataFrame, total: int) -> dg.AssetCheckResult:
    bad = int(lines["position"].nunique())
    share = bad / total if total else 0.0
    first = lines.head(EXAMPLES)
    examples = pd.DataFrame({"row": masked_keys(first["key"]), "reason": first["reason"].tolist()})
    return dg.AssetCheckResult(
        check_name=name,
        passed=bad == 0,
        severity=severity(share, sync.max_failure_share),
        description=f"{part(bad, total, *ROWS, ARE)} left out for this ({share:.1%})" if bad else None,
        metadata={"rows": bad, "share": round(share, 6), **table("examples", examples)},
    )
