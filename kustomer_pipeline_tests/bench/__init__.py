"""Measurements: `make bench`. Nothing here is a test; what is exact (API units) is tested in laws/test_frugality.py.

track        an org in simulated time, with instruments
kinds        what is measured: the kinds of runs, each with its goals
speed        kinds x conditions → Figures; ways: which way the planner of reads takes
growth       the same with more and more rows
large        real runs over large tables: both warehouses, both comparisons; the state's first write
             table     the table, made by the database;  accepted  what is remembered of it;  server  a PostgreSQL
             one_run   one run through Dagster, in a process of its own
results      Figures → table, JSON;  plot, plot_large → PNG;  page → the tables of docs/benchmarks/README.md
"""
