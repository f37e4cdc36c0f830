"""Whether the vendor's own schemas (XSD of v3) allow a request; JSON uses the same names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import httpx

SPEC = Path(__file__).parents[4] / "shared" / "platforms" / "specs" / "quickbooks"
FILES = ("Finance.xsd", "IntuitBaseTypes.xsd", "IntuitNamesTypes.xsd")
XS = "{http://www.w3.org/2001/XMLSchema}"
PATH = re.compile(r"/v3/company/\d+/(\w+)(?:/([^/]+))?$")
QUERY = re.compile(
    r"select (?P<fields>\*|\w+(?:, \w+)*) from (?P<entity>\w+)(?: where (?P<where>.+?))?"
    r"(?: orderby (?P<order>\w+))?(?: startposition \d+)?(?: maxresults (?P<most>\d+))?$"
)
# There is no OR and there are few operators.
TERM = re.compile(
    r"(\w+) (?:(?:=|like|<|>|<=|>=) '(?:[^'\\]|\\.)*'|in \((?:'(?:[^'\\]|\\.)*'|true|false)"
    r"(?:, (?:'(?:[^'\\]|\\.)*'|true|false))*\))"
)


@dataclass(frozen=True)
class Element:
    """One element of a type."""

    kind: str
    many: bool
    required: bool
    limit: int


@cache
def _roots() -> list[ElementTree.Element]:
    return [ElementTree.parse(SPEC / name).getroot() for name in FILES]  # noqa: S314  our own copy


@cache
def _named(tag: str) -> dict[str, ElementTree.Element]:
    return {one.attrib["name"]: one for root in _roots() for one in root.findall(f"{XS}{tag}")}


@cache
def _elements(kind: str) -> dict[str, Element]:
    """The elements of a complex type, those of its bases included."""
    found: dict[str, Element] = {}
    declared = _named("complexType")[kind]
    for base in declared.iter(f"{XS}extension"):
        if base.attrib["base"] in _named("complexType"):
            found |= _elements(base.attrib["base"])
    groups = [_named("group")[one.attrib["ref"]] for one in declared.iter(f"{XS}group")]
    for holder in (declared, *groups):
        chosen = {one for choice in holder.iter(f"{XS}choice") for one in choice.iter()}
        for one in holder.iter(f"{XS}element"):
            if "name" in one.attrib:
                found[one.attrib["name"]] = _element(one, is_chosen=one in chosen)
    for one in declared.iter(f"{XS}attribute"):
        found[one.attrib["name"]] = Element(one.attrib["type"], False, False, 0)
    return found


def _element(one: ElementTree.Element, *, is_chosen: bool) -> Element:
    doc = " ".join("".join(one.itertext()).split())
    own = [part for part in doc.split("Product:") if part.strip().startswith(("QBO", "ALL"))]
    said = re.search(r"QBO: max=(\d+)", doc) or re.search(r"Max\.? length: (\d+)", " ".join(own))
    return Element(
        kind=one.attrib.get("type", "xs:string"),
        many=one.attrib.get("maxOccurs", "1") != "1",
        required=one.attrib.get("minOccurs", "1") != "0" and not is_chosen,
        limit=int(said[1]) if said else 0,
    )


def validate(request: httpx.Request) -> tuple[str, str]:
    """The entity and operation of a request that the schemas allow.

    Raises:
        AssertionError: they do not.
    """
    if request.url.path == "/oauth2/v1/tokens/bearer":
        return _token(request)
    assert request.headers["authorization"].startswith("Bearer ")
    assert request.headers["accept"] == "application/json"
    assert request.url.params["minorversion"] == "75"
    path = PATH.fullmatch(request.url.path)
    assert path, request.url.path
    name, identity = path.groups()
    if name == "query":
        assert request.method == "GET"
        return _query(request.url.params["query"])
    entity = {one.lower(): one for one in _named("complexType")}.get(name)
    assert entity, f"no such entity: {name}"
    if request.method == "GET":
        assert identity, request.url.path
        return entity, "read"
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    return entity, _write(entity, dict(request.url.params), json.loads(request.content))


def _token(request: httpx.Request) -> tuple[str, str]:
    form = parse_qs(request.content.decode())
    assert request.headers["authorization"].startswith("Basic ")
    assert form.keys() == {"grant_type", "refresh_token"}
    assert form["grant_type"] == ["refresh_token"]
    return "token", "refresh"


def _query(text: str) -> tuple[str, str]:
    found = QUERY.fullmatch(text)
    assert found, text
    entity = found["entity"]
    known = _elements(entity)
    fields = [] if found["fields"] == "*" else found["fields"].split(", ")
    terms = re.split(r" and (?=\w+ (?:=|like|in|<|>))", found["where"]) if found["where"] else []
    for term in terms:
        parsed = TERM.fullmatch(term)
        assert parsed, term
        fields.append(parsed[1])
    for field in [*fields, *filter(None, [found["order"]])]:
        assert field in known, f"{entity} has no field {field}"
    assert int(found["most"] or 100) <= 1000
    return entity, "query"


def _write(entity: str, params: dict[str, str], body: dict[str, Any]) -> str:
    assert len(params["requestid"]) <= 50
    operation = params.get("include") or params.get("operation")
    assert operation in {None, "void", "delete"}, operation
    _check(body, entity, entity, whole="Id" not in body)
    if "Id" in body:
        assert body.get("SyncToken"), "an update needs its SyncToken"
    return operation or ("update" if "Id" in body else "create")


def _check(value: Any, kind: str, path: str, *, whole: bool = True, limit: int = 0) -> None:
    """Whether a value is one of a type; null blanks any field."""
    if value is None:
        return
    plain = kind.removeprefix("xs:")
    if plain in _named("simpleType"):
        allowed = {
            one.attrib["value"] for one in _named("simpleType")[plain].iter(f"{XS}enumeration")
        }
        assert isinstance(value, str), path
        assert not allowed or value in allowed, f"{path}: {value}"
    elif plain in {"string", "date", "boolean", "decimal", "int", "positiveInteger"}:
        _check_plain(value, plain, path, limit)
    elif _is_reference(plain):
        assert value.keys() <= {"value", "name", "type"}, path
        assert isinstance(value["value"], str), path
    else:
        _check_object(value, plain, path, whole=whole)


def _check_plain(value: Any, kind: str, path: str, limit: int) -> None:
    if kind == "boolean":
        assert isinstance(value, bool), path
    elif kind in {"decimal", "int", "positiveInteger"}:
        assert isinstance(value, int | float), path
        assert not isinstance(value, bool), path
    else:
        assert isinstance(value, str), path
        assert not limit or len(value) <= limit, f"{path} is longer than {limit}"
        assert kind != "date" or re.fullmatch(r"\d{4}-\d\d-\d\d", value), f"{path}: {value}"


def _check_object(value: Any, kind: str, path: str, *, whole: bool) -> None:
    assert isinstance(value, dict), path
    known = _elements(kind)
    for name, one in value.items():
        assert name in known, f"{path} has no {name}"
        element = known[name]
        assert isinstance(one, list) == element.many or one is None, f"{path}.{name}"
        for each in one if element.many and one is not None else [one]:
            _check(each, element.kind, f"{path}.{name}", limit=element.limit)
    missing = [name for name, one in known.items() if one.required and name not in value]
    assert not (whole and missing), f"{path} lacks {', '.join(missing)}"


def _is_reference(kind: str) -> bool:
    """A text with attributes: in JSON it is an object with a value."""
    return _named("complexType")[kind].find(f"{XS}simpleContent") is not None
