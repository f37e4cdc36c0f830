"""What is uploaded: each function its own package, and nothing a stranger's edit would touch."""

import re
import shutil
import zipfile

import pytest

from infra.assets import Assets
from infra.stage import Stage
from infra.wheels import AWS_WHEELS
from tests.infra.synthesis import ROOT, synthesise


def code_assets(synthesis) -> dict[str, str]:
    """Return each function's code hash by handler."""
    return {
        function["Properties"]["Handler"]: function["Properties"]["Code"]["S3Key"]
        for function in synthesis.resources("AWS::Lambda::Function").values()
    }


def files(synthesis, key: str) -> set[str]:
    folder = synthesis.folder / f"asset.{key.partition('.')[0]}"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_asset_is_the_own_package_without_sandbox(both_ways):
    hashes = code_assets(both_ways)
    assert files(both_ways, hashes["platforms.acme.webhook.handler"]) == {
        "platforms/__init__.py",
        "platforms/acme/__init__.py",
        "platforms/acme/webhook.py",
    }


def test_real_assets_hold_one_package_and_no_sandbox(aws):
    for handler, key in code_assets(aws).items():
        parent, own, _ = handler.split(".", 2)
        found = files(aws, key)
        assert found, handler
        assert not [name for name in found if "sandbox" in name or name.endswith((".md", ".pyc"))]
        assert all(name.startswith((f"{parent}/{own}/", f"{parent}/__init__")) for name in found)


def test_an_edit_changes_only_its_own_platform(tmp_path, acme_root, both_ways):
    root = tmp_path / "edited"
    shutil.copytree(acme_root, root, symlinks=True)
    (root / "functions/platforms/acme/webhook.py").write_text("# edited\n", encoding="utf-8")
    edited = synthesise(tmp_path / "out", root / "one.toml", root, Stage("prod"))
    before, after = code_assets(both_ways), code_assets(edited)
    changed = {handler for handler in before if before[handler] != after[handler]}
    assert changed == {f"platforms.acme.{role}.handler" for role in ("webhook", "pull", "target")}


def test_the_configuration_is_a_layer_of_its_own(tmp_path):
    layer = Assets(tmp_path, AWS_WHEELS, {"bridge.json": b"{}", "__init__.py": b""})
    layer.configuration()
    again = Assets(tmp_path, AWS_WHEELS, {"bridge.json": b"{ }", "__init__.py": b""})
    again.configuration()
    folders = sorted((tmp_path / "build" / "config").iterdir())
    assert len(folders) == 2
    assert (folders[0] / "python" / "bridge_config" / "bridge.json").exists()


def test_the_dependencies_are_for_arm64_and_are_what_the_lock_says():
    archive = zipfile.ZipFile(Assets(ROOT, AWS_WHEELS, {}).dependencies_zip())
    names = archive.namelist()
    assert all(name.startswith("python/") for name in names)
    compiled = [name for name in names if name.endswith(".so")]
    assert compiled
    assert all("aarch64" in name for name in compiled)
    lock = (ROOT / "layers/dependencies/requirements.lock").read_text(encoding="utf-8")
    locked = {
        (re.sub(r"[-_.]+", "_", name).lower(), version)
        for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)
    }
    installed = {
        tuple(re.sub(r"[-_.]+(?=.*-)", "_", name.split("/")[1][: -len(".dist-info")]).split("-"))
        for name in names
        if name.split("/")[1].endswith(".dist-info")
    }
    assert {(name.lower(), version) for name, version in installed} <= locked
    size = sum(entry.file_size for entry in archive.infolist())
    # Lambda's ceiling for a function with its layers is 250 MB; imports cost start-up time before.
    assert size < 40_000_000


@pytest.mark.parametrize("name", ["boto3", "botocore"])
def test_what_the_runtime_brings_is_not_in_the_layer(name):
    archive = zipfile.ZipFile(Assets(ROOT, AWS_WHEELS, {}).dependencies_zip())
    assert not [entry for entry in archive.namelist() if entry.startswith(f"python/{name}/")]
