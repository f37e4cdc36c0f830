"""Observe, announce, assess, converge: what every adapter shares."""
