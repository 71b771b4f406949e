"""A pipeline in this process, for what a run does after the commands of docs/deploy.md."""

from kustomer_pipeline_tests.components.conftest import clock, pipeline, sandbox, warehouse_url

__all__ = ["clock", "pipeline", "sandbox", "warehouse_url"]
