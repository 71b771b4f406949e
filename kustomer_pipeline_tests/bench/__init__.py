"""Measurements: `make bench`. Nothing here is a test; what is exact (API units) is tested in laws/test_frugality.py."""
