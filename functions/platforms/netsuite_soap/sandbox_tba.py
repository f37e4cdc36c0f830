"""Token-based authentication of the NetSuite sandbox: a passport signed anew for each request."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from platforms.netsuite_soap.sandbox_soap import NS, Element, SoapFaultError, unexpected

Json = dict[str, Any]

NONCE = re.compile(r"[0-9A-Za-z]{6,64}")
SKEW = timedelta(minutes=5)
FIELDS = ("account", "consumerKey", "token", "nonce", "timestamp", "signature")


def sign(account: str, consumer: tuple[str, str], token: tuple[str, str], *once: str) -> str:
    """The signature of a passport: keys with their secrets, then nonce and timestamp."""
    base = "&".join((account, consumer[0], token[0], *once))
    key = f"{consumer[1]}&{token[1]}"
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha256")).decode()


class Passports:
    """Knows the account's tokens, and the nonces they have used.

    Args:
        account: the account, as it is signed: upper case, underscore.
        tokens: {consumer_key, consumer_secret, token, token_secret, denied, is_soap_allowed}.
        clock: gives the time.
    """

    def __init__(self, account: str, tokens: list[Json], clock: Callable[[], datetime]) -> None:
        self.account = account
        self.tokens = tokens
        self.clock = clock
        self.used: set[tuple[str, str]] = set()

    def admit(self, header: Element | None) -> Json:
        """The token of a request's header, or the fault that refuses it."""
        found = [] if header is None else [c for c in header.children if c.name == "tokenPassport"]
        if header is not None:
            self.alone(header, bool(found))
        if len(found) != 1:
            raise _refused("Invalid login attempt.")
        if found[0].ns != NS["messages"]:
            raise unexpected(found[0])
        given = self.fields(found[0])
        token = self.known(given)
        if not token.get("is_soap_allowed", True):
            text = "Your role does not give you permission to use SOAP Web Services."
            raise SoapFaultError("insufficientPermissionFault", "WS_PERMISSION_REQD", text)
        return token

    def alone(self, header: Element, has_token: bool) -> None:
        """A passport or an application id beside a token is one credential too many."""
        others = [c.name for c in header.children if c.name in ("passport", "applicationInfo")]
        if others and has_token:
            text = "Only one authentication mechanism allowed per request. Found multiple: "
            raise _refused(f"{text}{others[0]}, tokenPassport", "USER_ERROR")

    def fields(self, passport: Element) -> dict[str, str]:
        """The passport's fields, each there once."""
        passport.only(NS["core"], *FIELDS)
        given = {name: passport.word(name) for name in FIELDS}
        signature = passport.get("signature")
        if len(passport.children) != len(FIELDS) or signature is None or not all(given.values()):
            raise _refused("Invalid login attempt.")
        if signature.attributes.get("algorithm") != "HMAC-SHA256":
            raise _refused("Invalid login attempt.")
        return given

    def known(self, given: dict[str, str]) -> Json:
        """The token, if signature, time and nonce are right; a wrong signature spends no nonce."""
        token = next(
            (
                one
                for one in self.tokens
                if (one["consumer_key"], one["token"]) == (given["consumerKey"], given["token"])
            ),
            None,
        )
        if token is None or given["account"] != self.account:
            raise _refused("Invalid login attempt.")
        wanted = sign(
            self.account,
            (token["consumer_key"], token["consumer_secret"]),
            (token["token"], token["token_secret"]),
            given["nonce"],
            given["timestamp"],
        )
        if not hmac.compare_digest(wanted.encode(), given["signature"].encode()):
            raise _refused("Invalid login attempt.")
        if not NONCE.fullmatch(given["nonce"]) or not self.is_timely(given["timestamp"]):
            raise _refused("Invalid login attempt.")
        once = (given["token"], given["nonce"])
        if once in self.used:
            raise _refused("Invalid login attempt.")
        self.used.add(once)
        return token

    def is_timely(self, timestamp: str) -> bool:
        """Whether a timestamp is within five minutes of the vendor's clock."""
        if not timestamp.isascii() or not timestamp.isdigit():
            return False
        return abs(self.clock().timestamp() - int(timestamp)) < SKEW.total_seconds()


def _refused(text: str, code: str = "INVALID_LOGIN_ATTEMPT") -> SoapFaultError:
    return SoapFaultError("invalidCredentialsFault", code, text)
