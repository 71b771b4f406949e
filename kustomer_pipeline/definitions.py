"""What Dagster loads: the syncs of the folder `defs/` (or of KUSTOMER_DEFS), the jobs and the schedule, resources."""

from kustomer_pipeline.components import defs_module, load_definitions

defs = load_definitions(defs_module())
