"""Alerts: who is told what of a sync, once when it begins and once when it is over."""
