"""Messages to people: one when a sync begins to need somebody, and one when it is well again.

    instance ─ looking ─→ facts ─ conditions ─→ what is the matter ─ changes ─→ news ─ messages ─ delivery ─→ people
                            ▲                                            │
                            └──────────── memory: the sensor's cursor ◀──┘

Everything between looking and delivery is pure. The sensor reads Dagster's instance only: never Kustomer, never the
warehouse. A message is remembered as told when its channel has taken it, so a re-run of a tick repeats nothing but what
was not delivered; only a daemon that dies between a delivery and the end of its tick tells something twice.
"""

from .sensor import SENSOR, alerts_sensor
from .trying import TRY_JOB, try_job
from .watched import Watched, watched

__all__ = ["SENSOR", "TRY_JOB", "Watched", "alerts_sensor", "try_job", "watched"]
