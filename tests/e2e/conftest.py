"""One deployed stack for all end-to-end tests, beside whatever stack a developer has up."""

from __future__ import annotations

import os

import httpx
import pytest

from tests.kit.deployed import Deployed
from tests.kit.emulator import emulator_missing, free_port


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    if emulator_missing():
        pytest.fail("the emulator's environment is not installed: make setup")
    folder = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIZZBRIDGE_LOCAL", str(folder))
        patch.setenv("FIZZBRIDGE_PORT", str(free_port()))
        patch.setenv("FIZZBRIDGE_STAGE", "local")
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        house = Deployed(folder)
        try:
            house.up()
            yield house
            house.close()
        finally:
            house.command("down")


@pytest.fixture(autouse=True)
def undisturbed(request):
    """Whatever a test made the vendors do wrong ends with it."""
    yield
    if "house" in request.fixturenames:
        for url in request.getfixturevalue("house").sandboxes:
            httpx.delete(f"{url}/_sandbox/faults", trust_env=False).raise_for_status()
