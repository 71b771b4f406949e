"""A small business to try the pipeline with: its warehouse, and the whole graph against a local Kustomer."""
