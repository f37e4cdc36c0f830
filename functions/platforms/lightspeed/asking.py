"""Where the API is: its version is part of every path, and an old one changes under our feet."""

from __future__ import annotations

from fizzbridge.settings import Connection

API_VERSION = "2026-07"


def base(connection: Connection) -> str:
    """The path before every resource."""
    return f"/api/{connection.settings.get('api_version', API_VERSION)}"
