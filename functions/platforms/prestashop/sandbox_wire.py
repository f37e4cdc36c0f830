"""XML and JSON as the Webservice writes them, and the XML it reads."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from starlette.responses import Response

from platforms.prestashop.sandbox_fields import RESOURCES, Association, Field, Resource, Row

VERSION = "8.2.1"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
ROOT = '<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
NOTICE = (
    "<br />\n<b>Notice</b>:  Undefined index: tax_name in <b>/shop/Tax.php</b> on line <b>97</b>"
    "<br />\n"
)
HELPERS = ("manufacturer_name", "quantity")
"""Shown with a product and never written, so not in its form."""
Lists = Callable[[Resource, Row], Mapping[str, Sequence[Row]]]


class VendorError(Exception):
    """What the Webservice refuses, with its status and error rows; no rows is an empty body."""

    def __init__(self, status: int, *errors: tuple[int, str], plain: str | None = None) -> None:
        super().__init__(errors)
        self.status = status
        self.errors = errors
        self.plain = plain


def empty(status: int) -> VendorError:
    """An answer without a word."""
    return VendorError(status, plain="")


@dataclass(frozen=True)
class Asked:
    """What a client wants back."""

    is_json: bool
    last_sha1: str = ""


@dataclass
class Writer:
    """Writes rows as one shop would.

    Args:
        url: the address before ``/api`` in links, often one that only the host knows.
        languages: ids of the shop's languages.
        lists: gives the lists inside a row.
        has_notices: whether PHP's notices are shown before the XML.
        has_padding: whether texts stand between line breaks and blanks.
    """

    url: str
    languages: Sequence[int]
    lists: Lists
    has_notices: bool = False
    has_padding: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, asked: Asked, status: int, body: str) -> Response:
        """A body with the headers every answer carries; nothing if the client has it already."""
        is_xml = not asked.is_json
        if is_xml and self.has_notices:
            body = NOTICE + body
        proof = hashlib.sha1(body.encode()).hexdigest()  # noqa: S324  the vendor's
        kind = "text/xml;charset=utf-8" if is_xml else "application/json;charset=utf-8"
        headers = {"PSWS-Version": VERSION, "Execution-Time": "0.021", "Content-Sha1": proof}
        if status == 200 and asked.last_sha1 == proof:
            return Response(status_code=304, headers=headers | self.headers)
        return Response(body, status, headers | self.headers, media_type=kind)

    def refuse(self, asked: Asked, wrong: VendorError) -> Response:
        """An error."""
        if wrong.plain is not None:
            headers = {"PSWS-Version": VERSION} | self.headers
            return Response(wrong.plain, wrong.status, headers, media_type="text/html")
        if asked.is_json:
            rows = [{"code": code, "message": text} for code, text in wrong.errors]
            return self.answer(asked, wrong.status, _dumped({"errors": rows}))
        parts = "".join(
            f"<error>\n<code>{_cdata(str(code))}</code>\n"
            f"<message>{_cdata(html.escape(text, quote=False))}</message>\n</error>\n"
            for code, text in wrong.errors
        )
        body = f"{HEAD}{ROOT}<errors>\n{parts}</errors>\n</prestashop>\n"
        return self.answer(asked, wrong.status, body)

    def one(
        self, asked: Asked, resource: Resource, row: Row, status: int = 200, fields: Any = None
    ) -> Response:
        """One row."""
        if asked.is_json:
            content = self.json_row(resource, row, fields, is_alone=True)
            return self.answer(asked, status, _dumped({resource.node: content}))
        body = f"{HEAD}{ROOT}{self._xml_row(resource, row, fields)}</prestashop>\n"
        return self.answer(asked, status, body)

    def many(self, asked: Asked, resource: Resource, rows: Sequence[Row], fields: Any) -> Response:
        """A list: only ids where no fields are asked for."""
        if asked.is_json:
            # Without rows there is not even the list's name.
            full = [self.json_row(resource, row, fields) for row in rows]
            return self.answer(asked, 200, _dumped({resource.list_node: full} if rows else []))
        if fields == ():
            inner = "".join(
                f'<{resource.node} id="{row["id"]}"{self._href(resource.plural, row["id"])}/>\n'
                for row in rows
            )
        else:
            inner = "".join(self._xml_row(resource, row, fields) for row in rows)
        node = resource.list_node
        body = f"{HEAD}{ROOT}<{node}>\n{inner}</{node}>\n</prestashop>\n"
        return self.answer(asked, 200, body)

    # -- JSON --------------------------------------------------------------------------------------

    def json_row(
        self, resource: Resource, row: Row, fields: Any = None, *, is_alone: bool = False
    ) -> Row:
        """A row in JSON; one alone lacks what PHP calls empty."""
        shown: Row = {"id": int(row["id"])} if fields is None or "id" in fields else {}
        for one in resource.fields:
            if fields is not None and one.name not in fields:
                continue
            value = row[one.name]
            if is_alone and value in ("", "0"):
                continue
            shown[one.name] = self._json_value(one, value)
        if fields is None:
            lists = self.lists(resource, row)
            inner = {
                one.name: [dict(item) for item in lists.get(one.name, ())]
                for one in resource.associations
                if lists.get(one.name)
            }
            if inner:
                shown["associations"] = inner
        return shown

    def _json_value(self, one: Field, value: str) -> Any:
        if one.is_language and len(self.languages) > 1:
            return [{"id": str(number), "value": value} for number in self.languages]
        return value

    # -- XML ---------------------------------------------------------------------------------------

    def _xml_row(self, resource: Resource, row: Row, fields: Any) -> str:
        lines = [f"<{resource.node}>\n"]
        if fields is None or "id" in fields:
            lines.append(f"\t<id>{self._text(str(row['id']))}</id>\n")
        for one in resource.fields:
            if fields is None or one.name in fields:
                lines.append(self._xml_field(one, row[one.name]))
        if fields is None and resource.associations:
            lists = self.lists(resource, row)
            lines.append("<associations>\n")
            lines += [self._xml_list(one, lists.get(one.name, ())) for one in resource.associations]
            lines.append("</associations>\n")
        lines.append(f"</{resource.node}>\n")
        return "".join(lines)

    def _xml_field(self, one: Field, value: str, *, is_inner: bool = False) -> str:
        flag = ' notFilterable="true"' if one.is_dynamic else ""
        if one.is_language:
            texts = "".join(
                f'<language id="{number}"{self._href("languages", number)}>{self._text(value)}'
                "</language>"
                for number in self.languages
            )
            return f"\t<{one.name}{flag}>{texts}</{one.name}>\n"
        # Zero is no row, so it has no link; lists inside a row are not that careful.
        link = self._href(one.link, value) if one.link and (is_inner or value != "0") else ""
        return f"\t<{one.name}{link}{flag}>{self._text(value)}</{one.name}>\n"

    def _xml_list(self, one: Association, items: Sequence[Row]) -> str:
        kind = f'api="{one.api.split("/")[0]}"' if one.api else 'virtualEntity="true"'
        head = f'<{one.name} nodeType="{one.node}" {kind}'
        if not items:
            return f"{head}/>\n"
        inner = ""
        for item in items:
            link = self._href(one.api, item["id"]) if one.api else ""
            fields = "".join(
                self._xml_field(each, item[each.name], is_inner=True) for each in one.fields
            )
            inner += f"\t<{one.node}{link}>\n{fields}\t</{one.node}>\n"
        return f"{head}>\n{inner}</{one.name}>\n"

    def _href(self, plural: str, number: Any) -> str:
        return f' xlink:href="{self.url}/api/{plural}/{number}"'

    def _text(self, value: str) -> str:
        return _cdata(f"\n\t\t{value}\n\t" if self.has_padding and value else value)

    def index(self, asked: Asked, shop: str, rights: Mapping[str, set[str]]) -> Response:
        """What a key may do, resource by resource."""
        methods = ("get", "put", "post", "patch", "delete", "head")
        told = {
            plural: {name: "true" for name in methods if name.upper() in allowed}
            for plural, allowed in sorted(rights.items())
        }
        if asked.is_json:
            return self.answer(asked, 200, _dumped({"api": told}))
        inner = ""
        for plural, allowed in told.items():
            marks = "".join(f' {name}="{yes}"' for name, yes in allowed.items())
            url = f"{self.url}/api/{plural}"
            schemas = "".join(
                f'<schema xlink:href="{url}?schema={kind}" type="{kind}"/>\n'
                for kind in ("blank", "synopsis")
            )
            inner += f'<{plural} xlink:href="{url}"{marks}>\n{schemas}</{plural}>\n'
        body = f'{HEAD}{ROOT}<api shopName="{html.escape(shop)}">\n{inner}</api>\n</prestashop>\n'
        return self.answer(asked, 200, body)

    def blank(self, asked: Asked, resource: Resource) -> Response:
        """The empty form of a resource."""
        empty_texts = "".join(f'<language id="{number}"/>' for number in self.languages)
        fields = "".join(
            f"<{one.name}>{empty_texts if one.is_language else _cdata('')}</{one.name}>\n"
            for one in resource.fields
            if not (one.is_dynamic and one.name in HELPERS)
        )
        inner = "".join(
            f"<{one.name}>\n<{one.node}>\n"
            + "".join(f"<{each.name}>{_cdata('')}</{each.name}>\n" for each in one.fields)
            + f"</{one.node}>\n</{one.name}>\n"
            for one in resource.associations
        )
        lists = f"<associations>\n{inner}</associations>\n" if inner else ""
        node = f"<{resource.node}>\n<id/>\n{fields}{lists}</{resource.node}>\n"
        return self.answer(asked, 200, f"{HEAD}{ROOT}{node}</prestashop>\n")


def _dumped(content: Any) -> str:
    # PHP escapes slashes and everything above ASCII.
    return json.dumps(content, separators=(",", ":")).replace("/", "\\/")


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


@dataclass(frozen=True)
class Given:
    """One row of a request body: what was written, and the lists inside it."""

    values: dict[str, str]
    lists: dict[str, list[dict[str, str]]]


def parse(resource: Resource, raw: bytes) -> list[Given]:
    """The rows of a request body.

    Raises:
        VendorError: it is no XML; the Webservice writes JSON and cannot read it.
    """
    text = raw.decode("utf-8", "replace")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  only tests and the demo write here
    except ElementTree.ParseError as error:
        told = f"String could not be parsed as XML. XML length: {len(text)}. Original XML: {text}"
        raise VendorError(500, (127, told)) from error
    nodes = [node for node in root if node.tag == resource.node]
    if root.tag != "prestashop" or not nodes:
        raise VendorError(500, (127, f"No <{resource.node}> in the XML."))
    return [_given(resource, node) for node in nodes]


def _given(resource: Resource, node: ElementTree.Element) -> Given:
    known = resource.by_name
    values: dict[str, str] = {}
    lists: dict[str, list[dict[str, str]]] = {}
    for child in node:
        if child.tag == "associations":
            for listed in child:
                items = [{leaf.tag: leaf.text or "" for leaf in item} for item in listed]
                lists[listed.tag] = items
        elif child.tag == "id" or child.tag in known:
            # What is not a field is passed over in silence.
            language = child.find("language")
            values[child.tag] = (language if language is not None else child).text or ""
    return Given(values, lists)


def find_resource(name: str) -> Resource:
    """The resource of that name.

    Raises:
        VendorError: there is none; a singular is the usual mistake.
    """
    if name not in RESOURCES:
        close = next((one for one in RESOURCES if one[:4] == name[:4]), "orders")
        told = f'Resource of type "{name}" does not exists. Did you mean: "{close}"?'
        raise VendorError(400, (27, told))
    return RESOURCES[name]


def is_name(text: str) -> bool:
    """Whether something can be the name of a field."""
    return re.fullmatch(r"\w+", text) is not None
