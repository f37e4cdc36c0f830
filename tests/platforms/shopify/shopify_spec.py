"""Shopify's own schema as the judge of what we send."""

from __future__ import annotations

import json
from functools import cache

from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

from tests.platforms.shopify.sandbox_shop import SDL


@cache
def _schema() -> GraphQLSchema:
    # Trimmed, it breaks rules for schemas that matter to no request.
    return build_schema(SDL.read_text(encoding="utf-8"), assume_valid=True)


def allowed(request) -> str:
    """The fields a request asks for at the top, where the schema has all of it.

    Raises:
        AssertionError: it does not.
    """
    body = json.loads(request.content)
    document = parse(body["query"])
    assert validate(_schema(), document) == []
    (operation,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    found = get_variable_values(
        _schema(), list(operation.variable_definitions or ()), body["variables"]
    )
    assert not isinstance(found, list), found
    names = (one.name.value for one in operation.selection_set.selections)
    return f"{operation.operation.value} {'+'.join(dict.fromkeys(names))}"
