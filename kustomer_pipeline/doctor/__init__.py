"""`python -m kustomer_pipeline doctor`: what stands between this project and a sync, told in a minute.

    environment → Facts → checks, one after the other → findings → text or JSON, and an exit status
                                                    ↘ --write-to: what only writes settle, tried on one record

It reads and never writes: not in Kustomer (but for the one record of --write-to, put back afterwards), not in the
state, not in the warehouse. Neither the key nor a value of a record is ever shown.
"""

from .engine import examine
from .findings import Finding, Level, Report

__all__ = ["Finding", "Level", "Report", "examine"]
