"""What a user edits: one folder per sync, each with a `defs.yaml`. See README.md beside this file."""
