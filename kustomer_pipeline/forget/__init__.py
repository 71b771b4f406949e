"""`python -m kustomer_pipeline forget`: one person, out of everything that the pipeline keeps.

    arguments, project, environment → who, which places → sync.forget → the receipt, as JSON

What is removed, in which order, and why it can be asked for again: sync/forget.py. Here is where rows are kept besides
the state: frames, and the tables in the warehouse.
"""
