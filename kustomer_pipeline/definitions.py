"""What Dagster loads: the syncs of the folder `defs/`, the jobs and the schedule over all, resources."""

from kustomer_pipeline import defs as defs_folder
from kustomer_pipeline.components import load_definitions

defs = load_definitions(defs_folder)
