from __future__ import annotations

import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from fizzbridge.secrets import (
    SecretError,
    SecretStore,
    SecretUnavailableError,
    secrets_manager,
)

NAME = "/fizzbridge/local/shop/signing"


class Vault:
    """Secrets by name, counting how often they are asked for; and a clock."""

    def __init__(self):
        self.texts = {NAME: json.dumps({"active": ["one"]})}
        self.asked = 0
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def fetch(self, name):
        self.asked += 1
        text = self.texts[name]
        if isinstance(text, Exception):
            raise text
        return text

    def rotate(self, secret):
        self.texts[NAME] = json.dumps({"active": [secret]})

    def pass_by(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def vault():
    return Vault()


@pytest.fixture
def store(vault):
    return SecretStore(vault.fetch, lambda: vault.now)


def test_a_secret_is_kept_for_five_minutes(vault, store):
    assert store.get(NAME) == {"active": ["one"]}
    vault.rotate("two")
    vault.pass_by(299)
    assert store.get(NAME) == {"active": ["one"]}
    vault.pass_by(1)
    assert store.get(NAME) == {"active": ["two"]}
    assert vault.asked == 2


def test_a_refetch_sees_a_rotation_at_once_but_not_often(vault, store):
    store.get(NAME)
    vault.rotate("two")
    assert store.refetch(NAME) == {"active": ["two"]}
    vault.rotate("three")
    vault.pass_by(29)
    assert store.refetch(NAME) == {"active": ["two"]}
    vault.pass_by(1)
    assert store.refetch(NAME) == store.get(NAME) == {"active": ["three"]}
    assert vault.asked == 3


def test_a_first_refetch_fetches_once(vault, store):
    assert store.refetch(NAME) == {"active": ["one"]}
    assert vault.asked == 1


def test_a_store_in_trouble_is_not_asked_more_often(vault, store):
    store.get(NAME)
    vault.texts[NAME] = SecretUnavailableError("down")
    with pytest.raises(SecretUnavailableError):
        store.refetch(NAME)
    assert store.refetch(NAME) == {"active": ["one"]}
    assert vault.asked == 2


def test_a_reader_cannot_change_a_secret(store):
    store.get(NAME)["active"] = []
    assert store.get(NAME) == {"active": ["one"]}


def test_many_readers_ask_once(vault, store):
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(store.get, [NAME] * 40))) == 40
    assert vault.asked == 1


@pytest.mark.parametrize("text", ["canary", '"canary"', '["canary"]', '{"canary"'])
def test_a_malformed_secret_is_not_quoted(vault, store, text):
    vault.texts[NAME] = text
    with pytest.raises(SecretError, match="JSON object") as caught:
        store.get(NAME)
    assert caught.value.__context__ is None
    assert "canary" not in "".join(traceback.format_exception(caught.value, chain=True)[-1:])


def test_a_missing_secret_is_named(store):
    with pytest.raises(SecretError, match="/none"):
        store.get("/none")


class Client:
    def __init__(self, answer):
        self.answer = answer

    def get_secret_value(self, SecretId):  # noqa: N803  # the service's name
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Name": SecretId, "SecretString": self.answer}


def client_error(code):
    return ClientError({"Error": {"Code": code}}, "GetSecretValue")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (client_error("ResourceNotFoundException"), SecretError),
        (client_error("InternalServiceError"), SecretUnavailableError),
        (ReadTimeoutError(endpoint_url="http://secrets"), SecretUnavailableError),
    ],
)
def test_the_secrets_manager_has_errors_of_ours(vault, answer, error):
    store = SecretStore(secrets_manager(Client(answer)), lambda: vault.now)
    with pytest.raises(error, match="signing"):
        store.get(NAME)


def test_the_secrets_manager_answers(vault):
    store = SecretStore(secrets_manager(Client('{"a": 1}')), lambda: vault.now)
    assert store.get(NAME) == {"a": 1}
