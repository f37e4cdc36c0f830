"""Companies that buy on account, as they are read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fizzbridge.model.customer import Terms
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.party import Address
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from tests.platforms.odoo.odoo_desk import BAR, DOCK, TRADE, cans
from tests.platforms.odoo.odoo_orders import connection
from tests.platforms.odoo.odoo_source import LONG_AGO, PULL, Shop, later
from tests.platforms.odoo.test_odoo_pull import STAMP, answering, client

PLACE = {"street": "1 Quay", "street2": "Rear", "city": "Cork", "zip": "T12"}
PARTNERS = [
    {
        "name": "Corner Pop Ltd",
        "is_company": True,
        "ref": "C-9",
        "email": "q@corner.example",
        "phone": "+353 1",
        "vat": "IE1234567T",
        "country": "IE",
        "pricelist": "Trade",
        **PLACE,
    },
    {"name": "Yard 4", "type": "delivery", "parent_id": BAR, "country": "US", "state": "CA"},
    {"name": "Ann Quill", "parent_id": BAR, "email": "ann@corner.example"},
    {"name": "Walk-in", "email": "walk@in.example"},
]
ANN, WALK_IN = 3, 4


@pytest.fixture(params=["json2", "jsonrpc"])
def shop(request):
    shop = Shop(request.param, partners=PARTNERS)
    shop.write("res.company", 1, account_use_credit_limit=True)
    shop.tick()
    return shop


def account(shop, stream="customers"):
    """The one account a round tells of, however many of its people have changed."""
    (seen,) = shop.told(stream)
    return seen


def test_a_company_is_told_with_its_people_and_places(shop):
    seen = account(shop)
    assert seen.ref == ref(Kind.CUSTOMER, "erp", BAR)
    assert (seen.changed, seen.refetch) == (later(0), Hint("customer", f"{BAR}"))
    body = seen.body
    assert (body.company.id, body.company.name, body.company.account) == (
        f"{BAR}",
        "Corner Pop Ltd",
        "C-9",
    )
    assert body.company.vat_number == "IE1234567T"
    assert (body.contact.email, body.contact.phone) == ("q@corner.example", "+353 1")
    assert (body.contact.name, body.contact.language) == ("", "en-US")
    assert body.addresses == (
        Address(
            company="Corner Pop Ltd",
            street="1 Quay",
            street2="Rear",
            city="Cork",
            postal_code="T12",
            country="IE",
            phone="+353 1",
        ),
        Address(name="Yard 4", company="Corner Pop Ltd", region="CA", country="US"),
    )
    assert body.terms == Terms(price_list="Trade")
    assert body.credit is None
    assert shop.refetched(seen) == [seen]


@pytest.mark.parametrize("changed", [BAR, DOCK, ANN])
def test_a_change_of_whoever_belongs_to_it_is_one_of_the_company(shop, changed):
    shop.write("res.partner", changed, phone="+353 2")
    (seen,) = shop.told("customers", later())
    assert seen.ref.external_id == f"{BAR}"
    assert shop.fetch("customer", changed) == [seen]


def test_people_buy_at_shops(shop):
    shop.write("res.partner", WALK_IN, phone="+353 2")
    assert shop.told("customers", later()) == []
    assert shop.fetch("customer", WALK_IN) == []


def test_an_address_that_was_archived_is_left_out(shop):
    shop.act("customers", DOCK, "archive")
    (seen,) = shop.told("customers", later())
    assert len(seen.body.addresses) == 1


def test_who_is_archived_or_deleted_is_gone(shop):
    shop.act("customers", BAR, "archive")
    (seen,) = shop.told("customers", later())
    assert (seen.ref, seen.body, seen.changed) == (ref(Kind.CUSTOMER, "erp", BAR), None, later())
    (gone,) = shop.fetch("customer", 99)
    assert (gone.ref, gone.body) == (ref(Kind.CUSTOMER, "erp", 99), None)


def test_a_new_price_list_is_told(shop):
    shop.write("res.partner", BAR, property_product_pricelist=False)
    assert account(shop).body.terms.price_list == ""
    assert shop.one("product.pricelist", TRADE, "name") == "Trade"


# -- credit ----------------------------------------------------------------------------------------


def limited(shop, limit=1000):
    shop.write("res.partner", BAR, credit_limit=limit)


def test_what_of_the_credit_is_used(shop):
    limited(shop)
    before = datetime.now(UTC)
    credit = account(shop).body.credit
    assert (credit.currency, credit.limit, credit.open_invoices) == ("EUR", 1000, 0)
    assert credit.oldest_due_on is None
    assert before <= credit.as_of <= datetime.now(UTC)
    order = shop.sold(cans(10, price_unit=10), partner_id=DOCK)
    invoice = shop.posted(order)
    shop.act("invoices", invoice, "pay", amount="19.00")
    shop.posted(shop.sold(cans(1, price_unit=10)))
    shop.act("customers", BAR, "pay", amount="7.50")
    credit = account(shop).body.credit
    assert (credit.open_invoices, credit.unapplied) == (Decimal("111.90"), Decimal("7.50"))
    assert (credit.open_orders, credit.oldest_due_on) == (0, date(2026, 11, 23))
    net = shop.one("res.partner", BAR, "credit")
    assert str(credit.open_invoices - credit.unapplied) == f"{net:.2f}"


@pytest.mark.parametrize("act", ["invoice", "pay", "cancel"])
def test_what_moves_the_credit_is_seen_in_its_documents(shop, act):
    limited(shop)
    order = shop.sold(cans(10, price_unit=10))
    invoice = None if act == "invoice" else shop.posted(order)
    payment = shop.act("invoices", invoice, "pay")["id"] if act == "cancel" else None
    shop.tick()
    assert shop.told("credit", later(120)) == []
    if act == "invoice":
        shop.posted(order)
    elif act == "pay":
        shop.act("invoices", invoice, "pay", amount="19.00")
    else:
        shop.act("payments", payment, "cancel")
    (seen,) = shop.told("credit", later(120))
    owed = {"invoice": 119, "pay": 100, "cancel": 119}
    assert (seen.ref.external_id, seen.body.credit.open_invoices) == (f"{BAR}", owed[act])
    assert shop.told("customers", later(120)) == []


def test_a_document_is_read_for_who_owes_it(shop):
    limited(shop)
    invoice = shop.posted(shop.sold(cans(10, price_unit=10)))
    (seen,) = shop.fetch("debt", invoice)
    assert seen.body.credit.open_invoices == 119


def test_where_credit_is_not_kept_nobody_has_a_limit(shop):
    limited(shop)
    shop.write("res.company", 1, account_use_credit_limit=False)
    assert account(shop).body.credit is None


# -- answers as they are documented ----------------------------------------------------------------

COMPANY = {
    "id": 8,
    "commercial_partner_id": [8, "Blue Bar GmbH"],
    "name": "Blue Bar GmbH",
    "type": "contact",
    "active": True,
    "is_company": True,
    "ref": False,
    "email": False,
    "phone": False,
    "vat": False,
    "lang": False,
    "street": False,
    "street2": False,
    "city": False,
    "zip": False,
    "country_id": False,
    "state_id": False,
    "child_ids": [],
    "property_product_pricelist": [1, "Default (USD)"],
    "property_payment_term_id": [4, "30 Days"],
    "credit_limit": 0.0,
    "currency_id": [1, "USD"],
    "write_date": STAMP,
    "customer_rank": 0,
    "supplier_rank": 0,
}
TERM = {"id": 4, "line_ids": [5, 6], "early_discount": True, "discount_percentage": 2.0}
FIELDS = ("line_ids", "early_discount", "discount_percentage", "customer_rank", "supplier_rank")


def due(number, days, delay="days_after"):
    return {"id": number, "payment_id": [4, "x"], "delay_type": delay, "nb_days": days}


def seen(*lines, fields=FIELDS, **partner):
    held = {
        "res_partner": [COMPANY | partner],
        "product_pricelist": [{"id": 1, "name": "Default", "active": True}],
        "account_payment_term": [TERM],
        "account_payment_term_line": lines,
    }
    of = connection()
    vendor = client(answering(fields, **held), of)
    return list(PULL.changes(vendor, "customers", None, Span(LONG_AGO), of).told)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([due(5, 30)], 30),
        ([due(5, 0), due(6, 60)], 60),
        ([due(5, 30, "days_after_end_of_month")], None),
        ([], None),
    ],
)
def test_when_all_is_due(lines, expected):
    (told,) = seen(*lines)
    assert told.body.terms == Terms(
        price_list="Default", payment_days=expected, cash_discount_percent=2
    )
    (told,) = seen(*lines, fields=())
    assert told.body.terms == Terms(price_list="Default")


@pytest.mark.parametrize(
    ("sold_to", "bought_from", "is_told"),
    [(0, 0, True), (1, 0, True), (3, 2, True), (0, 2, False)],
)
def test_who_only_ever_sold_to_us_is_no_customer(sold_to, bought_from, is_told):
    told = seen(due(5, 30), customer_rank=sold_to, supplier_rank=bought_from)
    assert bool(told) is is_told
