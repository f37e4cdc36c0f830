"""People at work in NetSuite, and what the source reads of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.pull import Span
from platforms.netsuite_soap.pull import NetSuiteSoapPull
from platforms.netsuite_soap.transport import SALES, kind, write
from tests.platforms.netsuite_soap.netsuite_soap_orders import TARGET, Bench, view

PULL = NetSuiteSoapPull()
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
LONG_AGO = Span(datetime(2026, 1, 1, tzinfo=UTC))


class Small(NetSuiteSoapPull):
    """Five records a page, which is the least there is."""

    platform = "netsuite_soap"
    per_page = 5


class Desk(Bench):
    """A bench with people at it, whose time stands still until it is moved."""

    def __init__(self, **kwargs):
        self.time = AT
        super().__init__(**kwargs)

    def plain(self):
        """The client as the runtime gives it to a pull adapter."""
        self.sandbox.clock = lambda: self.time
        auth = PULL.auth(self.secret, self.connection)
        auth.clock = lambda: self.time
        return client(self.transport, auth, self.connection)

    def client(self):
        return TARGET.client(self.plain(), self.connection)

    def act(self, path, **body):
        """Somebody does something at NetSuite, and time goes by."""
        with httpx.Client(transport=self.transport, base_url="https://erp.example") as http:
            answer = http.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        self.time += timedelta(minutes=10)
        return answer.json().get("id")

    def make(self, record, space=SALES, **fields):
        """Somebody makes a record by another way in."""
        made = write(self.client(), "add", kind(space, record) | fields, space)
        self.time += timedelta(minutes=10)
        return made

    def place(self, *lines, **more):
        order = self.export(view(*lines, **more))
        self.time += timedelta(minutes=10)
        return order

    def page(self, stream="transactions", cursor=None, span=LONG_AGO, reader=PULL):
        return reader.changes(self.plain(), stream, cursor, span, self.connection)

    def told(self, stream="transactions", span=LONG_AGO, reader=PULL):
        """Everything a round tells, page by page."""
        found, cursor, is_last = [], None, False
        while not is_last:
            page = self.page(stream, cursor, span, reader)
            found += page.told
            cursor, is_last = page.cursor, page.is_last
        return found

    def of(self, *kinds, **more):
        """What is told of some kinds."""
        return [one for one in self.told(**more) if one.ref.kind in kinds]

    def fetch(self, hint):
        return list(PULL.fetch(self.plain(), hint, self.connection))


def client(transport, auth, of):
    return VendorClient(
        platform="netsuite_soap",
        base_url=of.base_url,
        auth=auth,
        errors=PULL.errors,
        timeout=timedelta(seconds=25),
        transport=transport,
    )


def asked(desk):
    return [request.headers["SOAPAction"].strip('"') for request in desk.transport.requests]
