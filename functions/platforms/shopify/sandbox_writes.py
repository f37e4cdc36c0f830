"""How the sandbox takes mutations: what is asked of all of them, and what each one is called.

A write that was refused has ``userErrors`` and changed nothing. Mutations that need ``@idempotent``
run once for each key: asked again in the same words they give the first answer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, get_directive_values

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import RefusedError
from platforms.shopify.sandbox_owner_kinds import OWNER_SCOPES, kind_of
from platforms.shopify.sandbox_search import denied, refusal

Act = Callable[[Json], Json]

INPUT_LIMIT = 250
LONGER_INPUTS = {"fulfillmentOrderLineItems": 512}
"""Lists in the input that may be longer than others."""

IDEMPOTENT = {"inventoryActivate", "inventorySetQuantities", "refundCreate"}


class UserError(Exception):
    """What a mutation answers in ``userErrors``.

    Args:
        field: the path in the input, or None.
        message: the text.
        code: the code, for mutations that have one.
        more: what the answer has beside the errors.
    """

    def __init__(
        self,
        field: list[str] | None,
        message: str,
        code: str | None = None,
        more: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.shown: list[Json] = [{"field": field, "message": message, "code": code}]
        self.more = more or {}

    @classmethod
    def of(cls, errors: list[Json], more: Json | None = None) -> UserError:
        """Several of them at once."""
        several = cls(None, errors[0]["message"], more=more)
        several.shown = errors
        return several


@dataclass
class Attempt:
    """The first call with one key: what it asked, and what it got."""

    asked: str
    answer: Json


class Writes:
    """The mutations of one shop.

    Args:
        acts: by the vendor's name the name it is counted under, and what it does.
        accepted: counts committed mutations.
    """

    def __init__(self, acts: dict[str, tuple[str, Act]], accepted: Counter[str]) -> None:
        self._acts = acts
        self._accepted = accepted
        self._attempts: dict[str, Attempt] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._acts

    def run(self, info: GraphQLResolveInfo[Any], args: Json) -> Json:
        """Carry a mutation out, or say what is wrong with it."""
        name = info.field_name
        _check_owners(name, args, info.context)
        key = self._key(info) if name in IDEMPOTENT else None
        _check_sizes(args, [name])
        if key is None:
            return self._carry_out(name, args)
        asked = json.dumps([name, args], sort_keys=True)
        if first := self._attempts.get(key):
            return _repeated(first, asked)
        answer = self._carry_out(name, args)
        self._attempts[key] = Attempt(asked, answer)
        return answer

    def _key(self, info: GraphQLResolveInfo[Any]) -> str:
        directive = info.schema.get_directive("idempotent")
        node = info.field_nodes[0]
        given = directive and get_directive_values(directive, node, info.variable_values)
        if not given:
            message = (
                "The @idempotent directive is required for this mutation but was not provided."
            )
            raise refusal(message, "BAD_REQUEST")
        if not given["key"].strip():
            raise refusal("The idempotency key must not be blank.", "BAD_REQUEST")
        return str(given["key"])

    def _carry_out(self, name: str, args: Json) -> Json:
        counted, act = self._acts[name]
        try:
            answer: Json = {"user_errors": []} | act(args)
        except UserError as error:
            return error.more | {"user_errors": error.shown}
        except RefusedError as error:
            return {"user_errors": [{"field": None, "message": str(error)}]}
        self._accepted[counted] += 1
        return answer


def _check_owners(name: str, args: Json, scopes: frozenset[str]) -> None:
    """Tags and metafields need the scope of what they are of."""
    ids = [args["id"]] if name in {"tagsAdd", "tagsRemove"} else []
    if name == "metafieldsSet":
        ids = [one["ownerId"] for one in args["metafields"]]
    for one in ids:
        if (needed := OWNER_SCOPES[kind_of(one)]) not in scopes:
            raise denied(name, {needed})


def _repeated(first: Attempt, asked: str) -> Json:
    if first.asked != asked:
        message = "The same idempotency key cannot be used with different operation parameters."
        code = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    elif first.answer["user_errors"]:
        message = "The previous attempt with this idempotency key failed."
        code = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    else:
        return first.answer
    return {"user_errors": [{"field": None, "message": message, "code": code}]}


def _check_sizes(value: Any, path: list[str]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_sizes(inner, [*path, name])
    elif isinstance(value, list):
        limit = LONGER_INPUTS.get(path[-1], INPUT_LIMIT)
        if len(value) > limit:
            message = (
                f"The input array size of {len(value)} is greater than the maximum allowed"
                f" of {limit}."
            )
            code = {"code": "MAX_INPUT_SIZE_EXCEEDED"}
            raise GraphQLError(message, path=path, extensions=code)
        for inner in value:
            _check_sizes(inner, path)
