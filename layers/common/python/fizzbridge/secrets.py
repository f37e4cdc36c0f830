"""Secrets, kept in memory for a short time and never shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

LIFE = timedelta(minutes=5)
"""How long a rotated secret may still be taken for the present one."""

REFETCH_EVERY = timedelta(seconds=30)
"""Forged signatures must not turn into calls of the secret store."""


class SecretError(Exception):
    """The secret is missing or is not a JSON object: a person has to set it."""


class SecretUnavailableError(Exception):
    """The secret store is down, slow or refuses us."""


class SecretStore:
    """Secrets by name, each a JSON object; threads may share it."""

    def __init__(self, fetch: Callable[[str], str], clock: Callable[[], datetime]) -> None:
        """Makes an empty store.

        Args:
            fetch: Reads a secret's text; `secrets_manager` makes one, `dict.__getitem__` is one.
            clock: The present time, aware.
        """
        self._fetch = fetch
        self._clock = clock
        self._known: dict[str, tuple[datetime, dict[str, object]]] = {}
        self._refetched: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> dict[str, object]:
        """Reads a secret, at most five minutes old.

        Raises:
            SecretError: It is missing or malformed.
            SecretUnavailableError: The store does not answer.
        """
        with self._lock:
            return self._fresh(name)

    def refetch(self, name: str) -> dict[str, object]:
        """Reads a secret anew, at most every 30 seconds; between, as `get` does.

        For a signature that does not match: the secret may have been rotated a moment ago.
        """
        with self._lock:
            now = self._clock()
            last = self._refetched.get(name)
            if last is None or now - last >= REFETCH_EVERY:
                # Noted before the attempt: a store in trouble is not asked more often.
                self._refetched[name] = now
                self._load(name, now)
            return self._fresh(name)

    def _fresh(self, name: str) -> dict[str, object]:
        now = self._clock()
        known = self._known.get(name)
        if known is None or now - known[0] >= LIFE:
            self._load(name, now)
        return dict(self._known[name][1])

    def _load(self, name: str, now: datetime) -> None:
        try:
            text = self._fetch(name)
        except KeyError:
            raise SecretError(f"{name}: there is no such secret") from None
        value = _parsed(text)
        if value is None:
            raise SecretError(f"{name}: the secret is not a JSON object")
        self._known[name] = (now, value)


def secrets_manager(client: SecretsManagerClient) -> Callable[[str], str]:
    """Makes the function that reads a secret's current text from Secrets Manager."""

    def fetch(name: str) -> str:
        try:
            return client.get_secret_value(SecretId=name)["SecretString"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                raise KeyError(name) from None
            raise SecretUnavailableError(f"{name}: {code}") from error
        except BotoCoreError as error:
            raise SecretUnavailableError(f"{name}: {type(error).__name__}") from error

    return fetch


def _parsed(text: str) -> dict[str, object] | None:
    # The parser's error holds the text; here it ends, and nothing raised later refers to it.
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
