"""Functions that belong to no platform: announce, assess, sweep, record."""
