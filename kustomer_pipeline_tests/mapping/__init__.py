"""Tests of kustomer_pipeline.mapping."""
