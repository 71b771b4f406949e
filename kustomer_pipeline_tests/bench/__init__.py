"""Measurements: `make bench`. Nothing here is a test; what is exact (API units) is tested in laws/test_frugality.py.

track      an org in simulated time, with instruments
kinds      what is measured: the kinds of runs, each with its goals
speed      kinds x conditions → Figures; ways: which way the planner of reads takes
million    an unchanged run of very many rows, in a process of its own
growth     the same with more and more rows
results    Figures → table, JSON;  plot → PNG
"""
