"""The command line: what a terminal needs around the work, which is done in `components` as it is for Dagster.

arguments, completion, names_of_syncs, errors   light: `--help` and completion import nothing else
project                                         folder → syncs, resources; what goes wrong → what is told
terminal                                        text, colours, progress
plan, apply, run, status, show, undo            a module a command, imported when it is used
"""
