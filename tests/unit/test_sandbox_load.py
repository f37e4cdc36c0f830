"""Every sandbox counts how hard it is driven."""

import importlib
from pathlib import Path

import httpx
import pytest

from tests.kit.transport import SandboxTransport

PLATFORMS = Path(__file__).parents[2] / "functions" / "platforms"
NAMES = sorted(path.parent.name for path in PLATFORMS.glob("*/sandbox.py"))


@pytest.mark.parametrize("name", NAMES)
def test_calls_are_counted_until_a_reset(name):
    sandbox = importlib.import_module(f"platforms.{name}.sandbox").make({})
    client = httpx.Client(transport=SandboxTransport(sandbox.app), base_url="https://shop.example")
    for _ in range(2):
        client.get("/no/such/page")
    client.get("/_sandbox/accepted")
    counted = {"peak_parallel": 1, "peak_per_minute": 2, "refused": 0}
    assert client.get("/_sandbox/load").json() == counted
    assert client.post("/_sandbox/reset").status_code == 204
    assert client.get("/_sandbox/load").json() == dict.fromkeys(counted, 0)


def test_there_are_sandboxes():
    assert "shopify" in NAMES
