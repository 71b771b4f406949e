-- What the syncs remember: a database of its own beside Dagster's, so that each can be saved and brought back alone.
create database kustomer_state;
