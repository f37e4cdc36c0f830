"""Synthesised once for all tests: the example bridge on AWS and locally, and a fleet of 25."""

import pytest

from infra.local.differences import local_stage
from infra.stage import Stage
from tests.infra.synthesis import (
    ACME_MANIFEST,
    CANARY,
    COMPANY,
    CONNECTION,
    FLEET,
    ROOT,
    synthesise,
)


@pytest.fixture(scope="session")
def example():
    return ROOT / "bridge.example.toml"


@pytest.fixture(scope="session")
def acme_root(tmp_path_factory):
    """A project with one platform more than ours and none of ours."""
    root = tmp_path_factory.mktemp("acme")
    (root / "layers").symlink_to(ROOT / "layers")
    # Shared, so that the dependencies layer is built once.
    (ROOT / "build").mkdir(exist_ok=True)
    (root / "build").symlink_to(ROOT / "build")
    folder = root / "functions" / "platforms" / "acme"
    folder.mkdir(parents=True)
    (root / "functions" / "registry.toml").write_text("acme = true\n", encoding="utf-8")
    (folder / "manifest.toml").write_text(ACME_MANIFEST, encoding="utf-8")
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    (folder / "webhook.py").write_text("# webhook\n", encoding="utf-8")
    (folder / "sandbox.py").write_text("# sandbox\n", encoding="utf-8")
    (root / "functions" / "services").symlink_to(ROOT / "functions" / "services")
    return root


@pytest.fixture(scope="session")
def aws(tmp_path_factory, example):
    """The example bridge as it goes to AWS, held to cdk-nag."""
    return synthesise(tmp_path_factory.mktemp("aws"), example, ROOT, Stage("prod"), nag=True)


@pytest.fixture(scope="session")
def both_ways(tmp_path_factory, acme_root):
    """One connection of a made-up platform, source and target."""
    bridge = acme_root / "one.toml"
    bridge.write_text(COMPANY + CONNECTION.format(number=1), encoding="utf-8")
    return synthesise(tmp_path_factory.mktemp("one"), bridge, acme_root, Stage("prod"), nag=True)


@pytest.fixture(scope="session")
def with_canary(tmp_path_factory, acme_root):
    """The same, and a canary that goes there."""
    bridge = acme_root / "canary.toml"
    bridge.write_text(COMPANY + CONNECTION.format(number=1) + CANARY, encoding="utf-8")
    return synthesise(tmp_path_factory.mktemp("canary"), bridge, acme_root, Stage("prod"), nag=True)


@pytest.fixture(scope="session")
def fleet(tmp_path_factory, acme_root):
    """Twenty-five connections, each both ways."""
    bridge = acme_root / "fleet.toml"
    connections = "".join(CONNECTION.format(number=number) for number in range(FLEET))
    bridge.write_text(COMPANY + connections, encoding="utf-8")
    return synthesise(tmp_path_factory.mktemp("fleet"), bridge, acme_root, Stage("prod"))


@pytest.fixture(scope="session")
def local(tmp_path_factory, acme_root):
    """The same connection of the made-up platform as the emulator gets it."""
    return synthesise(
        tmp_path_factory.mktemp("local"), acme_root / "one.toml", acme_root, local_stage(ROOT)
    )
