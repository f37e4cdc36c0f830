"""Customers, companies and what they may ask by law."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import ValidationError

from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.observation import Enquiry, Farewell, Hint
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.pull import Span
from platforms.shopify import people, wire
from platforms.shopify.pull import ShopifyPull
from platforms.shopify.subscriptions import ShopifySubscriptions
from platforms.shopify.webhook import ShopifyWebhook
from tests.kit.source import CONNECTION, http_event
from tests.kit.transport import SandboxTransport
from tests.platforms.shopify.shopify_shop import ADDRESS, COMPANY, DRAFT, hint, shop, source

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PLACE = {"first_name": "Goods-in", "company": "Wharf Tap", "address1": "1 Quay", "city": "Hull"}
OUTLET = {
    "id": "gid://shopify/CompanyLocation/72",
    "external_id": "ACC-9",
    "phone": "+44 1632 960111",
    "locale": "en",
    "updated_at": "2026-11-20T09:00:00Z",
    "company": {
        "id": "gid://shopify/Company/71",
        "name": "Wharf Tap Ltd",
        "external_id": "GROUP-1",
        "updated_at": "2026-11-20T09:30:00Z",
    },
    "billing_address": PLACE,
    "shipping_address": PLACE | {"address1": "Dock 4"},
    "tax_number": {"taxRegistrationId": "GB123456789"},
    "payment_days": {"paymentTermsTemplate": {"dueInDays": 30}},
}


def account(**changes):
    told = {"id": 1, "updated_at": "2026-11-20T09:30:00Z", "addresses": []} | changes
    (seen,) = people.account(wire.Account.model_validate(told), "shop")
    return seen


def company(**changes):
    (seen,) = people.company(wire.Outlet.model_validate(OUTLET | changes), "shop")
    return seen


def test_the_default_address_comes_first_and_the_others_in_one_order():
    listed = [{"id": number, "address1": f"{number}"} for number in (10, 9, 2)]
    for addresses in (listed, listed[::-1]):
        body = account(addresses=addresses, default_address=listed[1]).body
        assert [one.street for one in body.addresses] == ["9", "2", "10"]


def test_a_default_address_may_be_the_only_one():
    body = account(default_address={"id": 1, "address1": "1 Quay"}).body
    assert [one.street for one in body.addresses] == ["1 Quay"]


def test_the_vendors_way_to_write_a_contact_is_one_text():
    told = account(email={"emailAddress": "a@b.example"}, phone=None).body
    assert (told.contact.email, told.contact.phone) == ("a@b.example", "")


def test_a_companys_location_is_who_buys():
    seen = company()
    assert seen.ref.key == "shop/company:71:72"
    assert seen.changed == AT
    assert seen.refetch == Hint("company_location", "72")
    buyer = seen.body
    assert (buyer.company.id, buyer.company.location_id) == ("71", "72")
    assert (buyer.company.name, buyer.company.account) == ("Wharf Tap Ltd", "ACC-9")
    assert [one.street for one in buyer.addresses] == ["1 Quay", "Dock 4"]
    assert (buyer.tax_number, buyer.terms.payment_days) == ("GB123456789", 30)
    assert (buyer.contact.name, buyer.contact.language) == ("Goods-in", "en")


def test_a_company_that_says_little():
    buyer = company(
        external_id=None,
        phone=None,
        locale=None,
        billing_address=None,
        shipping_address=None,
        tax_number={"taxRegistrationId": None},
        payment_days=None,
    ).body
    assert buyer.company.account == "GROUP-1"
    assert (buyer.addresses, buyer.tax_number, buyer.terms.payment_days) == ((), "", None)
    assert company(payment_days={"paymentTermsTemplate": None}).body.terms.payment_days is None


def test_an_order_and_its_company_name_the_same_buyer():
    sandbox = shop()
    order = sandbox.place_order(DRAFT | {"company": COMPANY})
    asked = source(sandbox)
    asked.work(hint("order", order["id"]))
    (buyer,) = asked.parts("Customer#")
    assert buyer.startswith(f"Customer#{CONNECTION}/{company().ref.external_id}/")


def test_a_location_that_is_gone_is_no_buyer_any_more():
    gid = "admin_graphql_api_id"
    body = {gid: "gid://shopify/CompanyLocation/72", "company": {gid: "gid://shopify/Company/71"}}
    told = wire.OutletDeleted.model_validate(body | {"triggered_at": AT})
    (seen,) = people.company_gone(told, "shop")
    assert (seen.ref.key, seen.body) == ("shop/company:71:72", None)
    assert seen.changed > AT


def test_who_asks_is_asked_for_in_every_order_too():
    told = {"customer": {"id": 7}, "orders_requested": [8, 9]}
    asked = people.enquiry(wire.DataRequest.model_validate(told), "shop")
    keys = [one.customer.key for one in asked if isinstance(one, Enquiry)]
    assert keys == ["shop/7", "shop/order:8", "shop/order:9"]


def test_a_shop_that_leaves_says_farewell():
    told = wire.ShopRedact(shop_domain="fizz-depot.myshopify.com")
    assert list(people.farewell(told, "shop")) == [Farewell("fizz-depot.myshopify.com")]


def test_topics_of_the_privacy_law_are_no_subscriptions():
    privacy = {"customers/data_request", "customers/redact", "shop/redact"}
    topics = {topic.replace("/", "_").upper() for topic in set(ShopifyWebhook.routes) - privacy}
    assert topics == set(ShopifySubscriptions.topics)


def made(sandbox, **person):
    client = httpx.Client(transport=SandboxTransport(sandbox.app))
    client.post("https://shop/_sandbox/customers", json=person).raise_for_status()


def test_asking_finds_the_customer_the_webhook_told():
    sandbox = shop(webhook_topics="all")
    addresses = [ADDRESS, ADDRESS | {"address1": "Dock 4"}, ADDRESS | {"address1": "Dock 5"}]
    made(sandbox, email="ines@mail.example", first_name="Ines", addresses=addresses)
    told, asked, polled = (source(sandbox) for _ in range(3))
    (sent,) = [one for one in sandbox.deliveries if one.topic == "customers/create"]
    told.deliver(http_event(sent.headers, sent.body))
    (part,) = told.content()
    asked.work(hint("customer", int(part.split("/")[1])))
    assert asked.content() == told.content()
    polled.work({"type": "poll", "stream": "customers"})
    assert polled.content() == told.content()
    ref = EntityRef.parse(part.partition("/PART#")[0])
    body = Loader(told.table, told.objects).view(ref).body(Part.RECORD, Customer)
    assert [one.street for one in body.addresses] == ["3 Tanyard Lane", "Dock 4", "Dock 5"]


def test_customers_of_one_second_are_all_found():
    sandbox = shop(bucket={"maximum_available": 100_000})
    for number in range(60):
        made(sandbox, email=f"{number}@mail.example")
    asked = source(sandbox)
    asked.work({"type": "poll", "stream": "customers"})
    asked.drain()
    assert len(asked.parts("Customer#")) == 60


def answering(*answers):
    """A shop that gives these answers in turn; the questions are kept."""
    asked = source(shop())
    questions = []
    left = list(answers)

    def answer(request):
        questions.append(json.loads(request.content)["variables"])
        return httpx.Response(200, json={"data": left.pop(0)}, request=request)

    asked.transport.handle_request = answer
    return asked, questions


def listed(*nodes, more=False, cursor=None):
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": more, "endCursor": cursor}}


def test_a_company_is_read_with_all_its_locations():
    second = OUTLET | {"id": "gid://shopify/CompanyLocation/73"}
    asked, questions = answering(
        {"company": {"locations": listed(OUTLET, more=True, cursor="c")}},
        {"company": {"locations": listed(second)}},
    )
    assert asked.work(hint("company", 71)) is None
    assert {name.split("/")[1] for name in asked.parts()} == {"company:71:72", "company:71:73"}
    assert questions == [
        {"id": "gid://shopify/Company/71", "after": None},
        {"id": "gid://shopify/Company/71", "after": "c"},
    ]


def test_a_location_is_read_by_itself():
    asked, questions = answering({"companyLocation": OUTLET}, {"companyLocation": None})
    for _ in range(2):
        assert asked.work(hint("company_location", 72)) is None
    assert len(asked.parts()) == 1
    assert questions[0] == {"id": "gid://shopify/CompanyLocation/72"}


@pytest.mark.parametrize("what", ["customer", "company", "company_location"])
def test_who_is_not_there_says_nothing(what):
    name = {"company_location": "companyLocation"}.get(what, what)
    asked, _ = answering({name: None})
    assert asked.work(hint(what, 4711)) is None
    assert asked.parts() == {}


def test_companies_and_locations_are_listed_side_by_side_to_the_end_of_both():
    first = {"id": "gid://shopify/Company/71"}
    asked, questions = answering(
        {
            "companies": listed(first, cursor="a"),
            "companyLocations": listed(OUTLET, more=True, cursor="b"),
        },
        {"companies": listed(), "companyLocations": listed(cursor="d")},
    )
    connection = asked.config.connection(CONNECTION)
    span = Span(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    page = ShopifyPull().changes(asked.client(), "companies", None, span, connection)
    hints = [one for one in page.told if isinstance(one, Hint)]
    assert (hints, len(page.told), page.is_last) == ([Hint("company", "71")], 2, False)
    page = ShopifyPull().changes(asked.client(), "companies", page.cursor, span, connection)
    assert (list(page.told), page.is_last) == ([], True)
    changed = "updated_at:<='2026-11-21T00:00:00Z' updated_at:>='2026-11-20T00:00:00Z'"
    assert questions == [
        {"changed": changed, "after": None, "outlets": None},
        {"changed": changed, "after": "a", "outlets": "b"},
    ]


def changed(asked, stream):
    span = Span(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    connection = asked.config.connection(CONNECTION)
    return list(ShopifyPull().changes(asked.client(), stream, None, span, connection).told)


def test_a_customer_that_cannot_be_read_keeps_no_other_back():
    good = {"id": "gid://shopify/Customer/1", "updated_at": "2026-11-20T09:30:00Z", "addresses": []}
    odd = good | {"id": "gid://shopify/Customer/2", "updated_at": "yesterday"}
    asked, _ = answering({"customers": listed(odd, good)})
    hint_of_it, seen = changed(asked, "customers")
    assert hint_of_it == Hint("customer", "2")
    assert seen.ref.external_id == "1"


def test_a_location_that_cannot_be_read_keeps_no_other_back():
    odd = OUTLET | {"id": "gid://shopify/CompanyLocation/73", "updated_at": "yesterday"}
    both = listed(odd, OUTLET)
    asked, _ = answering(
        {"companies": listed(), "companyLocations": both},
        {"company": {"locations": both}},
        {"companyLocation": odd},
    )
    hint_of_it, seen = changed(asked, "companies")
    assert hint_of_it == Hint("company_location", "73")
    assert seen.ref.external_id == "company:71:72"
    connection = asked.config.connection(CONNECTION)
    told = ShopifyPull().fetch(asked.client(), Hint("company", "71"), connection)
    assert list(told) == [hint_of_it, seen]
    with pytest.raises(ValidationError):
        list(ShopifyPull().fetch(asked.client(), hint_of_it, connection))
