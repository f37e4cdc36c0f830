"""The registry and the manifests, and the one line each mistake in them gets."""

import shutil
from pathlib import Path

import pytest

from fizzbridge.manifest import RegistryError, load_registry
from fizzbridge.model.entity import Kind

ROOT = Path(__file__).resolve().parents[2]


def test_every_registered_platform_has_a_folder_and_the_reverse():
    folders = {path.parent.name for path in (ROOT / "functions/platforms").glob("*/__init__.py")}
    assert set(load_registry(ROOT)) == folders


def test_a_manifest_says_what_is_deployed():
    shop = load_registry(ROOT)["shopify"]
    assert shop.functions.webhook is not None
    assert shop.functions.target is not None
    assert Kind.ORDER in shop.entities.source
    assert shop.stream("orders") is not None
    assert shop.stream("invoices") is None
    assert not shop.is_booked
    assert load_registry(ROOT)["odoo"].is_booked


@pytest.fixture
def copy(tmp_path):
    """The project's registry and manifests, to be spoiled."""
    for path in [
        Path("functions/registry.toml"),
        *(p.relative_to(ROOT) for p in (ROOT / "functions/platforms").glob("*/manifest.toml")),
    ]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


REGISTRY = "functions/registry.toml"
SHOPIFY = "functions/platforms/shopify/manifest.toml"
ODOO = "functions/platforms/odoo/manifest.toml"
WRONG = {
    "folder": (
        REGISTRY,
        "odoo = true",
        "odo = true",
        "registry.toml: odo has no platforms/odo/manifest.toml; did you mean 'odoo'?",
    ),
    "value": (REGISTRY, "odoo = true", 'odoo = "yes"', "registry.toml: odoo must be true or false"),
    "key": (
        SHOPIFY,
        "path_token",
        "path_tokn",
        "platforms/shopify/manifest.toml: webhook.path_tokn: is not known here; "
        "did you mean 'path_token'?",
    ),
    "kind": (
        SHOPIFY,
        '"Refund"',
        '"Refunds"',
        "platforms/shopify/manifest.toml: entities.source: 'Refunds' is not a kind; "
        "did you mean 'Refund'?",
    ),
    "tier": (
        ODOO,
        '"bronze"',
        '"bronce"',
        "platforms/odoo/manifest.toml: quality.tier: 'bronce' is not a quality tier; "
        "did you mean 'bronze'?",
    ),
    "memory": (
        ODOO,
        "memory_mb = 512",
        "memory_mb = 64",
        "platforms/odoo/manifest.toml: functions.target.memory_mb: "
        "64 should be greater than or equal to 128",
    ),
    "missing": (
        ODOO,
        'name = "Odoo"\n',
        "",
        "platforms/odoo/manifest.toml: name: is missing",
    ),
    "unsigned webhook": (
        SHOPIFY,
        'signing = ["active"]',
        "",
        "platforms/shopify/manifest.toml: a webhook function needs secrets.signing, "
        "or anybody could call it",
    ),
    "no keys": (
        ODOO,
        'api = ["api_key", "login"]',
        "",
        "platforms/odoo/manifest.toml: pull and target functions call the vendor: "
        "name keys in secrets.api",
    ),
    "target without kinds": (
        ODOO,
        'target = ["Order", "Customer"]',
        "",
        "platforms/odoo/manifest.toml: entities.target and [functions.target] "
        "come together or not at all",
    ),
    "streams without pull": (
        SHOPIFY,
        "[functions.pull]\nmemory_mb = 512\ntimeout_s = 60\n",
        "",
        "platforms/shopify/manifest.toml: streams need a pull function to poll them: "
        "add [functions.pull]",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_mistake_is_one_clear_line(copy, case):
    name, right, wrong, line = WRONG[case]
    text = (copy / name).read_text(encoding="utf-8")
    assert right in text
    (copy / name).write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(RegistryError) as raised:
        load_registry(copy)
    assert raised.value.mistakes == [line]


def test_a_manifest_that_is_no_toml_and_a_missing_registry(copy):
    (copy / ODOO).write_text("name =", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"platforms/odoo/manifest\.toml: not valid TOML"):
        load_registry(copy)
    (copy / REGISTRY).unlink()
    with pytest.raises(RegistryError, match=r"^registry\.toml: the file is missing$"):
        load_registry(copy)


def test_a_platform_switched_off_is_not_read(copy):
    text = (copy / REGISTRY).read_text(encoding="utf-8")
    (copy / REGISTRY).write_text(text.replace("odoo = true", "odoo = false"), encoding="utf-8")
    assert set(load_registry(copy)) == set(load_registry(ROOT)) - {"odoo"}
