from dataclasses import replace
from datetime import timedelta

import pytest

from fizzbridge.errors import ConfigurationError
from fizzbridge.runtime.calls import vendor_client
from platforms.shopify.pull import ShopifyPull
from platforms.shopify.webhook import handler
from tests.kit.source import Source, bridge


def made(stage, **of_connection):
    """A client as a function of a stage makes it, and how often a secret was read."""
    source = Source(handler.adapter, config=bridge("shopify", **of_connection))
    given = replace(
        source.given, settings=source.given.settings.model_copy(update={"stage": stage})
    )
    reads = []

    class Secrets:
        def get(self, name):
            reads.append(name)
            return {"access_token": "t"}

    given = replace(given, secrets=Secrets())
    make = vendor_client(ShopifyPull(), given.connection, given)
    try:
        return make(lambda: timedelta(minutes=1)), reads
    except ConfigurationError:
        assert reads == []
        raise


@pytest.mark.parametrize(
    ("of_connection", "said"),
    [
        ({"base_url": "http://127.0.0.1:4601"}, "base_url: plain http is for the local stage"),
        ({"base_url": "https://169.254.169.254"}, "base_url: '169.254.169.254' is inside"),
        ({"settings": {"token_url": "https://localhost/t"}}, "settings.token_url: 'localhost'"),
    ],
)
def test_what_is_deployed_is_checked_before_a_secret_is_read(of_connection, said):
    with pytest.raises(ConfigurationError, match=said):
        made("prod", **of_connection)


def test_the_local_stage_reaches_this_machine():
    _, reads = made("local", base_url="http://127.0.0.1:4601")
    assert reads == ["api"]
    _, reads = made("prod")
    assert reads == ["api"]
