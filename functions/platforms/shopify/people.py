"""From Shopify's customers and companies to ours, and what people ask by law: pure."""

from __future__ import annotations

from collections.abc import Iterator

from fizzbridge.model.customer import Customer, Terms
from fizzbridge.model.entity import Kind, guest, ref
from fizzbridge.model.party import Company, Contact
from fizzbridge.observation import Enquiry, Farewell, Hint, Seen, Told
from platforms.shopify import wire
from platforms.shopify.mapping import address, after, name, outlet


def account(told: wire.Account, connection: str) -> Iterator[Told]:
    """Somebody with an account; their addresses in one order, whoever lists them."""
    first = told.default_address
    others = [one for one in told.addresses if first is None or one.id != first.id]
    others.sort(key=lambda one: (len(one.id), one.id))
    listed = filter(None, map(address, [first, *others]))
    body = Customer(
        contact=Contact(name=name(told), email=told.email, phone=told.phone),
        addresses=tuple(dict.fromkeys(listed)),
    )
    entity = ref(Kind.CUSTOMER, connection, told.id)
    yield Seen(entity, body, told.updated_at, refetch=Hint("customer", told.id))


def account_deleted(told: wire.Deleted, connection: str) -> Iterator[Told]:
    """The account is gone."""
    yield Seen(ref(Kind.CUSTOMER, connection, told.id), None, after(told.triggered_at))


def company(told: wire.Outlet, connection: str) -> Iterator[Told]:
    """A company at one of its locations, under the key its orders name."""
    places = filter(None, map(address, (told.billing_address, told.shipping_address)))
    body = Customer(
        contact=Contact(
            name=name(told.billing_address or told.shipping_address),
            phone=told.phone,
            language=told.locale,
        ),
        company=Company(
            id=told.company.id,
            location_id=told.id,
            name=told.company.name,
            account=told.external_id or told.company.external_id,
        ),
        addresses=tuple(dict.fromkeys(places)),
        tax_number=told.tax_number,
        terms=Terms(payment_days=told.payment_days),
    )
    # The company's name is in it too.
    changed = max(told.updated_at, told.company.updated_at)
    refetch = Hint("company_location", told.id)
    yield Seen(outlet(connection, told.company.id, told.id), body, changed, refetch=refetch)


def company_gone(told: wire.OutletDeleted, connection: str) -> Iterator[Told]:
    """One of a company's locations is gone."""
    yield Seen(outlet(connection, told.company.id, told.id), None, after(told.triggered_at))


def redact(told: wire.Redact, connection: str) -> Iterator[Told]:
    """Somebody is to be forgotten, in their account and in each order."""
    nobody = Customer(contact=Contact(), is_erased=True)
    people = [guest(connection, order_id) for order_id in told.orders_to_redact]
    for person in (ref(Kind.CUSTOMER, connection, told.customer.id), *people):
        yield Seen(person, nobody, told.triggered_at)


def enquiry(told: wire.DataRequest, connection: str) -> Iterator[Told]:
    """Somebody asks what is known of them, in their account and in each order."""
    yield Enquiry(ref(Kind.CUSTOMER, connection, told.customer.id))
    for order_id in told.orders_requested:
        yield Enquiry(guest(connection, order_id))


def farewell(told: wire.ShopRedact, connection: str) -> Iterator[Told]:
    """The shop has uninstalled the app, two days ago."""
    del connection
    # An app has one address for all its shops.
    yield Farewell(told.shop_domain)
