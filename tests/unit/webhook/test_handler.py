import sys

import pytest

from fizzbridge.runtime.wiring import ports
from fizzbridge.settings import compile_bridge, load_bridge
from fizzbridge.webhook.handler import webhook_handler
from tests.kit.source import bridge, http_event
from tests.kit.toy import ToyWebhook

ENVIRONMENT = {
    "FIZZBRIDGE_STAGE": "local",
    "FIZZBRIDGE_TABLE": "table",
    "FIZZBRIDGE_BUCKET": "bucket",
    "FIZZBRIDGE_BUS": "bus",
    "FIZZBRIDGE_CONNECTION": "shop-uk",
    "FIZZBRIDGE_PULL_QUEUE": "http://127.0.0.1:1/pull",
    "FIZZBRIDGE_SIGNING_SECRET": "signing",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


@pytest.fixture
def function(tmp_path, monkeypatch):
    """A function's environment and configuration layer, and no AWS behind it."""
    package = tmp_path / "bridge_config"
    package.mkdir()
    for name, content in compile_bridge(bridge("toy")).items():
        (package / name).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    caches = (ports, load_bridge)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()
    sys.modules.pop("bridge_config", None)


def test_a_function_starts_without_calling_anything_and_says_when_it_cannot_keep(function, capsys):
    handler = webhook_handler(ToyWebhook())
    event = http_event({"x-toy-proof": "00"}, b"{}")
    assert handler(event, None) == {"statusCode": 503, "body": ""}
    assert '"received":[1]' in capsys.readouterr().out


def test_without_a_functions_environment_nothing_is_made():
    assert webhook_handler(ToyWebhook()).adapter.platform == "toy"
