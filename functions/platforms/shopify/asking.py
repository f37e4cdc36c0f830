"""One question to the Admin GraphQL API."""

from __future__ import annotations

from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.settings import Connection

API_VERSION = "2026-10"


def ask(
    vendor: VendorClient,
    connection: Connection,
    query: str,
    *,
    writes: bool = False,
    **variables: Any,
) -> Any:
    """The data of an answer."""
    version = connection.settings.get("api_version", API_VERSION)
    path = f"/admin/api/{version}/graphql.json"
    answer = vendor.post(path, json={"query": query, "variables": variables}, writes=writes)
    return answer.data["data"]
