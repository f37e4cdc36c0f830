"""Receiving deliveries: read the request, verify it, parse, map, merge, answer."""
