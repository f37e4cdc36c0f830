"""A hundred processes and one rotating token: one refresh, and one usable pair at the end."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fizzbridge.aws import aws_client
from fizzbridge.errors import ConflictError
from fizzbridge.runtime.tokens import HELD_S, RotatingToken
from fizzbridge.state.dynamodb import DynamoTable
from tests.kit.emulator import create_table, serve

pytestmark = pytest.mark.enable_socket

# Forked, so that each has its interpreter ready: what is tried is their meeting, not their start.
FORK = multiprocessing.get_context("fork")
PROCESSES = 100
PATIENCE_S = 120
NOW_AND_THEN_S = 0.05


@dataclass(frozen=True)
class Books:
    """A ledger with rotating tokens, and how it is asked something."""

    platform: str
    seed: Mapping[str, Any]
    token_path: str
    client: str
    secret: str
    refresh: str
    path: str
    headers: Mapping[str, str]


QUICKBOOKS = Books(
    platform="quickbooks",
    # A refresh token spent twice ends its grant here.
    seed={
        "access_token": None,
        "token_delay_ms": [300, 2000],
        "concurrent": PROCESSES,
        "per_minute": 100 * PROCESSES,
    },
    token_path="/oauth2/v1/tokens/bearer",
    client="sandbox-client",
    secret="sandbox-secret",
    refresh="RT1-sandbox",
    path="/v3/company/9130350000000001/query?query=select * from Item",
    headers={"Accept": "application/json"},
)
XERO = Books(
    platform="xero",
    # A spent one is taken again for a while, where the answer may have been lost.
    seed={"token_delay_ms": [2000, 2000], "limits": {"minute": 10_000, "concurrent": PROCESSES}},
    token_path="/connect/token",
    client="SANDBOX-WEB-APP",
    secret="sandbox-client-secret",
    refresh="sandbox-refresh-token",
    path="/api.xro/2.0/Organisation",
    headers={
        "Accept": "application/json",
        "Xero-tenant-id": "7d2f0c1e-54a1-4c57-9a59-4a3b8f1f0a01",
    },
)


def ask(address: str, table: str, url: str, books: Books, ahead: timedelta) -> None:
    """What a function does: call, and come again later while another process refreshes.

    Args:
        address: the emulator's.
        table: name of the state table.
        url: the ledger's.
        books: how it is asked.
        ahead: how far this process's clock is ahead.
    """
    rows = DynamoTable(aws_client("dynamodb", deadline_s=60, endpoint_url=address), table)
    auth = RotatingToken(f"{url}{books.token_path}", books.client, books.secret, books.refresh)
    auth.share(rows, "books", lambda: datetime.now(UTC) + ahead)
    until = time.monotonic() + PATIENCE_S
    with httpx.Client(base_url=url, auth=auth, timeout=60) as client:
        while time.monotonic() < until:
            try:
                answer = client.get(books.path, headers=dict(books.headers))
            except ConflictError as error:
                time.sleep((error.retry_after or timedelta(seconds=1)).total_seconds())
                continue
            raise SystemExit(0 if answer.status_code == httpx.codes.OK else 1)
    raise SystemExit(2)


def start(count: int, *about: Any) -> list[Any]:
    """Start processes that ask."""
    started = [FORK.Process(target=ask, args=about) for _ in range(count)]
    for one in started:
        one.start()
    return started


def ended(processes: list[Any]) -> list[int]:
    """How the processes ended."""
    for one in processes:
        one.join(PATIENCE_S)
    return [one.exitcode for one in processes]


def accepted(url: str) -> dict[str, int]:
    """What the ledger has committed."""
    found: dict[str, int] = httpx.get(f"{url}/_sandbox/accepted").json()
    return found


def test_f32_a_hundred_processes_meet_an_expired_token_and_refresh_it_once(
    aws_address, dynamodb, tmp_path
):
    table = create_table(dynamodb)
    with serve(QUICKBOOKS.platform, QUICKBOOKS.seed, tmp_path) as url:
        about = (aws_address, table, url, QUICKBOOKS, timedelta(0))
        assert ended(start(PROCESSES, *about)) == [0] * PROCESSES
        assert accepted(url).get("token refreshed") == 1
        assert "grant revoked" not in accepted(url)


def test_f33_a_holder_killed_in_the_middle_leaves_a_usable_pair(aws_address, dynamodb, tmp_path):
    table = create_table(dynamodb)
    with serve(XERO.platform, XERO.seed, tmp_path) as url:
        (holder,) = start(1, aws_address, table, url, XERO, timedelta(0))
        until = time.monotonic() + PATIENCE_S
        while not accepted(url).get("token refreshed"):
            assert time.monotonic() < until, "the holder never asked for a token"
            time.sleep(NOW_AND_THEN_S)
        holder.kill()
        assert ended([holder]) == [-9]
        # Its lease runs out while the others come again: their clocks are that far ahead.
        late = timedelta(seconds=HELD_S + 1)
        assert ended(start(10, aws_address, table, url, XERO, late)) == [0] * 10
        assert accepted(url)["token refreshed"] == 2
        assert "grant revoked" not in accepted(url)
