"""What a bridge file may say, and the one line each mistake in it gets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge import settings
from fizzbridge.bridge_file import read_catalogue, read_prices, read_schemes
from fizzbridge.settings import (
    Bridge,
    BridgeFileError,
    CanaryPolicy,
    FunctionSettings,
    Timing,
    compile_bridge,
    load_bridge_file,
)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "bridge.example.toml").read_text(encoding="utf-8")
CATALOGUE = (ROOT / "catalogue.example.csv").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "catalogue.example.csv").write_text(CATALOGUE, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "bridge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str, stage: str = "prod") -> list[str]:
    with pytest.raises(BridgeFileError) as raised:
        load_bridge_file(written(folder, text), ROOT, stage=stage)
    assert str(raised.value) == "\n".join(raised.value.mistakes)
    return raised.value.mistakes


def test_a_list_is_told_empty_only_where_it_is(folder):
    wrong = EXAMPLE.replace('kinds = ["Order"]', 'kinds = ["Orders"]')
    assert mistakes(folder, wrong) == [
        "routes[0]: kinds: 'Orders' is not a kind; did you mean 'Order'?"
    ]
    empty = EXAMPLE.replace('kinds = ["Order"]', "kinds = []")
    assert mistakes(folder, empty) == ["routes[0]: kinds: needs at least one entry"]


def test_the_example_is_right_for_aws():
    bridge = load_bridge_file(ROOT / "bridge.example.toml", stage="prod")
    assert [connection.name for connection in bridge.connections] == ["shop-uk", "erp"]
    assert bridge.connection("erp").calls.parallel == 2
    with pytest.raises(KeyError):
        bridge.connection("shop-de")


WRONG = {
    "role": (
        '"order.processing", "customer", "product", "price", "stock"',
        '"order.processing", "customer", "product", "price", "stok"',
        "connections[1] (erp): roles: 'stok' is not a role; did you mean 'stock'?",
    ),
    "unknown key": (
        'country = "GB"',
        'contry = "GB"\ncountry = "GB"',
        "company.contry: is not known here; did you mean 'country'?",
    ),
    "unknown nested key": (
        "parallel = 2",
        "paralel = 2",
        "connections[0] (shop-uk): calls.paralel: is not known here; did you mean 'parallel'?",
    ),
    "missing": ('currency = "GBP"\n', "", "company.currency: is missing"),
    "currency": ('"GBP"', '"GPB"', "company.currency: 'GPB' is not an ISO 4217 currency"),
    "time zone": (
        '"Europe/London"',
        '"Europe/Londn"',
        "company.time_zone: 'Europe/Londn' is not a time zone, for example Europe/London",
    ),
    "slug": (
        'name = "shop-uk"',
        'name = "Shop UK"',
        "connections[0] (Shop UK): name: 'Shop UK' must be lower case letters, digits and hyphens, "
        "and start with a letter",
    ),
    "naive time": (
        "2026-11-01T00:00:00Z                    #",
        "2026-11-01T00:00:00                    #",
        "connections[0] (shop-uk): start_at: needs a time zone, for example 2026-11-01T00:00:00Z",
    ),
    "twice": (
        'name = "erp"',
        'name = "shop-uk"',
        "connections[1] (shop-uk): name: 'shop-uk' is used twice",
    ),
    "reserved": (
        'name = "erp"',
        'name = "core"',
        "connections[1] (core): name: 'core' is taken by the bridge itself",
    ),
    "platform": (
        '"shopify"',
        '"shopfy"',
        "connections[0] (shop-uk): platform: 'shopfy' is not registered; did you mean 'shopify'?",
    ),
    "plain http": (
        "https://erp",
        "http://erp",
        "connections[1] (erp): base_url: plain http is for this machine only; use https",
    ),
    "loopback on AWS": (
        "https://erp.bubbles.example",
        "http://127.0.0.1:4602",
        "connections[1] (erp): base_url: plain http is for the local stage only; use https",
    ),
    "no address": (
        "https://erp.bubbles.example",
        "erp.bubbles.example",
        "connections[1] (erp): base_url: 'erp.bubbles.example' is not an https address",
    ),
    "password in address": (
        "https://erp",
        "https://bot:pw@erp",
        "connections[1] (erp): base_url: must hold no user, password, query or fragment",
    ),
    "inside a network": (
        "https://erp.bubbles.example",
        "https://10.0.0.7",
        "connections[1] (erp): base_url: '10.0.0.7' is inside a network",
    ),
    "a name inside a network": (
        "https://erp.bubbles.example",
        "https://metadata.google.internal",
        "connections[1] (erp): base_url: 'metadata.google.internal' is a name inside a network",
    ),
    "an address in disguise": (
        "https://erp.bubbles.example",
        "https://2852039166",
        "connections[1] (erp): base_url: '2852039166' is neither a name nor an IP address in its "
        "usual form",
    ),
    "a name without a domain": (
        "https://erp.bubbles.example",
        "https://erp",
        "connections[1] (erp): base_url: 'erp' is not a full name in letters, digits, hyphens and "
        "dots",
    ),
    "where tokens are asked for": (
        'transport = "json2"',
        'transport = "json2", token_url = "https://169.254.169.254/token"',
        "connections[1] (erp): settings.token_url: '169.254.169.254' is inside a network",
    ),
    "second owner": (
        '["order.request", "payment", "refund"]',
        '["order.request", "price"]',
        "connections[1] (erp): roles: 'price' is already owned by 'shop-uk'",
    ),
    "kind": (
        'kinds = ["Order"]',
        'kinds = ["Orders"]',
        "routes[0]: kinds: 'Orders' is not a kind; did you mean 'Order'?",
    ),
    "route to nowhere": (
        'to = ["erp"]',
        'to = ["erq"]',
        "routes[0]: to: 'erq' is not a connection; did you mean 'erp'?",
    ),
    "unheld kind": (
        'kinds = ["Order"]',
        'kinds = ["Payment"]',
        "routes[0]: to: 'erp' (odoo) cannot hold Payment; it can hold Order, Customer",
    ),
    "unreported kind": (
        'platform = "shopify"',
        'platform = "quickbooks"',
        "routes[0]: from: 'shop-uk' (quickbooks) cannot report Order; it can report Invoice, "
        "Payment, Refund, Customer, Product, Price, StockLevel",
    ),
    "stock without a policy": (
        'kinds = ["Order"]',
        'kinds = ["Order", "StockLevel"]',
        "routes[0]: kinds: StockLevel is shown by what [stock] keeps back and [catalogue] says of "
        "packs; the file has no such table",
    ),
    "condition": (
        "ship_country =",
        "ship_contry =",
        "routes[0]: where.ship_contry: 'ship_contry' is not a condition; "
        "did you mean 'ship_country'?",
    ),
    "class": ('"BULK"', '"BULKY"', "routes[0]: where.class: 'BULKY' is not an order class"),
    "schedule connection": (
        'connection = "shop-uk"',
        'connection = "shop-us"',
        "schedules[0]: connection: 'shop-us' is not a connection; did you mean 'shop-uk'?",
    ),
    "stream": (
        'stream = "orders"',
        'stream = "order"',
        "schedules[0]: stream: 'order' is not a stream of shopify; did you mean 'orders'?",
    ),
    "interval": (
        '"15 minutes"',
        '"1 minutes"',
        "schedules[0]: every: '1 minutes' is not an interval, for example 15 minutes",
    ),
    "number as text": (
        "per_minute = 120",
        'per_minute = "many"',
        "connections[0] (shop-uk): calls.per_minute: 'many' should be a valid integer, "
        "unable to parse string as an integer",
    ),
    "catalogue": (
        '"catalogue.example.csv"',
        '"catalog.csv"',
        "catalogue: file: catalog.csv cannot be read",
    ),
    "timing": (
        "[[schedules]]",
        "[timing]\nlease = 30\n\n[[schedules]]",
        "timing: lease must not be shorter than target_timeout, or two workers hold one",
    ),
    "visibility": (
        "[[schedules]]",
        "[timing]\nvisibility = 120\n\n[[schedules]]",
        "timing: visibility must be at least six times target_timeout on AWS",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_mistake_is_one_clear_line(folder, case):
    right, wrong, line = WRONG[case]
    assert right in EXAMPLE
    found = mistakes(folder, EXAMPLE.replace(right, wrong, 1))
    assert line in found
    assert all("\n" not in each for each in found)


def test_all_mistakes_are_told_at_once(folder):
    text = EXAMPLE.replace('"GBP"', '"GPB"').replace('"refund"]', '"refnd"]')
    assert len(mistakes(folder, text)) == 2


def test_a_file_that_is_no_toml_is_one_line(folder):
    assert mistakes(folder, "[company")[0].startswith("bridge.toml: not valid TOML: ")


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(BridgeFileError, match=r"^nothing\.toml: cannot be read$"):
        load_bridge_file(tmp_path / "nothing.toml", ROOT)


def test_the_local_stage_may_point_at_this_machine_and_wait_less(folder):
    text = EXAMPLE.replace("https://erp.bubbles.example", "http://127.0.0.1:4602")
    text += "\n[timing]\ntarget_timeout = 10\ncall_timeout = 3\nlease = 12\nvisibility = 60\n"
    text += "pull_timeout = 10\n"
    bridge = load_bridge_file(written(folder, text), ROOT, stage="local")
    assert bridge.connection("erp").base_url == "http://127.0.0.1:4602"
    assert bridge.timing.visibility == 60


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"call_timeout": 60}, "call_timeout must be shorter"),
        ({"visibility": 30}, "visibility must not be shorter"),
        ({"merge_deadline": 10}, "merge_deadline must be shorter"),
    ],
)
def test_times_that_cannot_work_together_are_refused(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        Timing(**changed)


CATALOGUE_WRONG = {
    "zero factor": (
        "EACH,24,9,12,COLA330-C24",
        "EACH,0,9,12,COLA330-C24",
        "catalogue.example.csv: row 2 (COLA330), column units_per_case: "
        "0 should be greater than or equal to 1",
    ),
    "material": (
        "ALUMINIUM,10.6",
        "ALUMINUM,10.6",
        "catalogue.example.csv: row 2 (COLA330), column material: "
        "'ALUMINUM' is not a material; did you mean 'ALUMINIUM'?",
    ),
    "column": (
        "lot_tracked",
        "lot_track",
        "catalogue.example.csv: column lot_track: is not known here; did you mean 'lot_tracked'?",
    ),
    "boolean": (
        "10.6,false,true",
        "10.6,false,perhaps",
        "catalogue.example.csv: row 2 (COLA330), column lot_tracked: 'perhaps' should be "
        "a valid boolean, unable to interpret input",
    ),
    "cells": (
        "10.6,false,true",
        "10.6,false,true,more",
        "catalogue.example.csv: row 2 (COLA330): has more cells than the first row names columns",
    ),
    "check digit": (
        "05201234000001",
        "05201234000002",
        "catalogue.example.csv: COLA330, column gtin: '05201234000002' is no GTIN: "
        "The number's checksum or check digit is invalid.",
    ),
    "overlap": (
        "LEMON330,Lemon",
        "COLA330,Lemon",
        "catalogue.example.csv: COLA330: rows valid from 2026-01-01 and 2026-01-01 overlap",
    ),
}


@pytest.mark.parametrize("case", CATALOGUE_WRONG)
def test_each_mistake_in_the_catalogue_names_row_and_column(folder, case):
    right, wrong, line = CATALOGUE_WRONG[case]
    assert right in CATALOGUE
    text = CATALOGUE.replace(right, wrong, 1)
    (folder / "catalogue.example.csv").write_text(text, encoding="utf-8")
    found = mistakes(folder, EXAMPLE)
    assert [each.replace("'0'", "0") for each in found] == [line]


SCHEME = """
[[schemes]]
name = "ie-small"
kind = "DEPOSIT"
countries = ["IE"]
currency = "EUR"
amount = 0.15
tax_mode = "EXCLUDED"
materials = ["PET", "ALUMINIUM", "STEEL"]
min_ml = 150
max_ml = 500
valid_from = 2024-02-01
"""


def test_schemes_are_read_exactly_and_their_mistakes_told(folder):
    text = EXAMPLE.replace('csv"', 'csv"\nschemes = "schemes.toml"')
    (folder / "schemes.toml").write_text(SCHEME, encoding="utf-8")
    bridge = load_bridge_file(written(folder, text), ROOT)
    (scheme,) = read_schemes(bridge, folder)
    assert scheme.amount == Decimal("0.15")
    (folder / "schemes.toml").write_text(SCHEME.replace("EXCLUDED", "EXCLUDE"), encoding="utf-8")
    assert mistakes(folder, text) == [
        "schemes.toml: schemes[0] (ie-small): tax_mode: 'EXCLUDE' is not a tax mode; "
        "did you mean 'EXCLUDED'?"
    ]


def test_the_compiled_configuration_reads_back_equal(folder, monkeypatch):
    bridge = load_bridge_file(written(folder, EXAMPLE), ROOT)
    items = read_catalogue(bridge, folder)
    package = folder / "layer" / settings.CONFIG_PACKAGE
    package.mkdir(parents=True)
    for name, content in compile_bridge(bridge, items).items():
        (package / name).write_bytes(content)
    monkeypatch.syspath_prepend(str(folder / "layer"))
    loaders = (settings.load_bridge, settings.load_catalogue, settings.load_schemes)
    for loader in loaders:
        loader.cache_clear()
    try:
        assert settings.load_bridge() == bridge
        assert settings.load_catalogue() == items
        assert settings.load_schemes() == ()
    finally:
        for loader in loaders:
            loader.cache_clear()


def test_sandboxes_are_never_compiled_into_the_functions(folder):
    text = EXAMPLE + '\n[local]\nsandboxes = [{ platform = "shopify", port = 4601 }]\n'
    bridge = load_bridge_file(written(folder, text), ROOT)
    assert bridge.local.sandboxes[0].port == 4601
    assert Bridge.model_validate_json(compile_bridge(bridge)["bridge.json"]).local.sandboxes == ()


def test_start_at_keeps_its_moment(folder):
    text = EXAMPLE.replace("2026-11-01T00:00:00Z", "2026-11-01T02:00:00+02:00")
    start = load_bridge_file(written(folder, text), ROOT).connections[0].start_at
    assert start == datetime(2026, 11, 1, tzinfo=UTC)
    assert start.utcoffset() == timedelta(hours=2)


def test_a_function_reads_only_its_own_environment():
    environment = {
        "FIZZBRIDGE_STAGE": "prod",
        "FIZZBRIDGE_TABLE": "t",
        "FIZZBRIDGE_BUCKET": "b",
        "FIZZBRIDGE_BUS": "bus",
        "FIZZBRIDGE_CONNECTION": "erp",
        "FIZZBRIDGE_DLQ": "",
        "PATH": "/bin",
    }
    found = FunctionSettings.from_environment(environment)
    assert (found.stage, found.connection, found.dlq) == ("prod", "erp", None)
    with pytest.raises(ValueError, match="table"):
        FunctionSettings.from_environment({"FIZZBRIDGE_STAGE": "prod"})


PRICES = "sku,price_list,unit,min_quantity,price,currency\nCOLA330,bars,CASE,10,9.60,GBP\n"


def test_prices_are_read_exactly_and_their_mistakes_told(folder):
    text = EXAMPLE.replace('csv"', 'csv"\nprices = "prices.csv"')
    (folder / "prices.csv").write_text(PRICES, encoding="utf-8")
    (price,) = read_prices(load_bridge_file(written(folder, text), ROOT), folder)
    assert (price.price, price.min_quantity) == (Decimal("9.6"), 10)
    (folder / "prices.csv").write_text(PRICES.replace("9.60", "dear"), encoding="utf-8")
    (line,) = mistakes(folder, text)
    assert line.startswith("prices.csv: row 2 (COLA330), column price")
    (folder / "prices.csv").unlink()
    assert mistakes(folder, text) == ["catalogue: prices: prices.csv cannot be read"]


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ("5201234000002", "column gtin: '5201234000002' is no GTIN"),
        ("05201234000001", ""),
    ],
)
def test_barcodes_are_checked(folder, cells, complaint):
    text = CATALOGUE.replace("05201234000001", cells)
    (folder / "catalogue.example.csv").write_text(text, encoding="utf-8")
    found = mistakes(folder, EXAMPLE) if complaint else []
    assert [complaint in line for line in found] == ([True] if complaint else [])


def test_a_case_of_another_item_is_told(folder):
    header, *rows = CATALOGUE.splitlines()
    wrong = [f"{header},case_gtin", f"{rows[0]},19501101530000", *rows[1:]]
    (folder / "catalogue.example.csv").write_text("\n".join(wrong), encoding="utf-8")
    (line,) = mistakes(folder, EXAMPLE)
    assert "COLA330, column case_gtin: '19501101530000' is a case of another item" in line


@pytest.mark.parametrize(
    ("wrong", "code"), [("COLA330-C24", "COLA330-C24"), ("05201234000001", "05201234000001")]
)
def test_a_code_that_means_two_products_is_told(folder, wrong, code):
    right = {"COLA330-C24": "LEMON330-C24", "05201234000001": "05201234000018"}[wrong]
    text = CATALOGUE.replace(right, wrong)
    (folder / "catalogue.example.csv").write_text(text, encoding="utf-8")
    assert mistakes(folder, EXAMPLE) == [
        f"catalogue.example.csv: LEMON330: the code {code} is also that of COLA330"
    ]


def test_a_service_level_without_quantile_is_told(folder):
    header, first, *rest = CATALOGUE.splitlines()
    text = "\n".join([f"{header},service_level", f"{first},93", *rest])
    (folder / "catalogue.example.csv").write_text(text, encoding="utf-8")
    (line,) = mistakes(folder, EXAMPLE)
    assert "COLA330, column service_level: 93 is not one of 90, 95, 97.5, 98, 99" in line


CANARY = """
[[connections]]
name = "canary"
platform = "standard"
base_url = "https://canary.example"
start_at = 2026-11-01T00:00:00Z
roles = ["order.request"]

[[routes]]
kinds = ["Order"]
from = ["canary"]
to = ["erp"]

[canary]
connection = "canary"
sku = "CANARY"
"""


def test_a_canary_comes_from_a_connection_of_its_own(folder):
    bridge = load_bridge_file(written(folder, EXAMPLE + CANARY), ROOT, stage="prod")
    assert bridge.canary is not None
    assert bridge.canary.interval.total_seconds() == 120
    wrong = {
        '[canary]\nconnection = "canary"': (
            '[canary]\nconnection = "canaries"',
            "canary: connection: 'canaries' is not a connection; did you mean 'canary'?",
        ),
        '"standard"': (
            '"xero"',
            "canary: connection: 'canary' (xero) does not take the bridge's own records; "
            "a connection of standard does",
        ),
        '["order.request"]': (
            '["order.request", "payment"]',
            "canary: connection: 'canary' must have the role 'order.request' and no other",
        ),
        'from = ["canary"]': (
            'from = ["shop-uk"]',
            "canary: connection: no route takes orders of 'canary' anywhere",
        ),
    }
    for right, (put, said) in wrong.items():
        assert right in CANARY
        assert said in mistakes(folder, EXAMPLE + CANARY.replace(right, put))


@pytest.mark.parametrize(("every", "seconds"), [("1 hour", 3600), ("15 minutes", 900)])
def test_a_canarys_interval(every, seconds):
    policy = CanaryPolicy(connection="canary", sku="X", every=every)
    assert policy.interval.total_seconds() == seconds
