"""The corpus of rows: what warehouses really hold, and what must become of it in Kustomer."""
