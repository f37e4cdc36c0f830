"""The ``/_sandbox`` routes by which people do things in the shop.

Making something is ``POST /_sandbox/<things>``, doing something to it ``POST
/_sandbox/<things>/<id>/<act>``; the answer is ``{"id", "<thing>"}``. What the shop refuses is 422.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.shopify.sandbox_catalogue import Product, Variant
from platforms.shopify.sandbox_companies import Company, Place
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_people import Customer
from platforms.shopify.sandbox_price_lists import PriceList
from platforms.shopify.sandbox_returns import Return
from platforms.shopify.sandbox_stock import Level

if TYPE_CHECKING:
    from platforms.shopify.sandbox import ShopifySandbox

Act = Callable[..., Json]


def people_routes(sandbox: ShopifySandbox) -> list[Route]:
    """Orders, customers, companies, returns, products and stock, and where webhooks go."""

    async def repoint(request: Request) -> Response:
        sandbox.point_webhooks_to((await request.json())["uri"])
        return Response(status_code=204)

    async def expire(_: Request) -> Response:
        sandbox.expire_tokens()
        return Response(status_code=204)

    async def forget(_: Request) -> Response:
        sandbox.desk.people.redact_shop()
        return Response(status_code=204)

    async def run_jobs(_: Request) -> Response:
        sandbox.desk.jobs.run(at_once=True)
        return Response(status_code=204)

    async def points(request: Request) -> Response:
        if request.method == "PUT":
            sandbox.bucket.available = (await request.json())["available"]
        counted = ("peak_per_minute", "throttled")
        return JSONResponse({name: getattr(sandbox.bucket, name) for name in counted})

    async def listing(_: Request) -> Response:
        return JSONResponse({"orders": [one.body() for one in sandbox.desk.orders.values()]})

    return [
        Route("/_sandbox/orders", listing, methods=["GET"]),
        Route("/_sandbox/webhook_uri", repoint, methods=["PUT"]),
        Route("/_sandbox/tokens/expire", expire, methods=["POST"]),
        Route("/_sandbox/shop/redact", forget, methods=["POST"]),
        Route("/_sandbox/points", points, methods=["GET", "PUT"]),
        Route("/_sandbox/jobs/run", run_jobs, methods=["POST"]),
        *_routes("orders", lambda given: _order(sandbox.place_order(given)), _orders(sandbox)),
        *_routes("returns", None, _returns(sandbox)),
        *_routes(
            "customers",
            lambda given: _customer(sandbox.desk.people.create(given)),
            _people(sandbox),
        ),
        *_routes(
            "companies",
            lambda given: _company(sandbox.desk.companies.create(given)),
            _companies(sandbox),
        ),
        *_routes("company_locations", None, _places(sandbox)),
        *_routes(
            "products",
            lambda given: _product(sandbox.desk.catalogue.create(given)),
            _goods(sandbox),
        ),
        *_routes("variants", None, _stock(sandbox)),
        *_routes(
            "price_lists",
            lambda given: _price_list(sandbox.desk.price_lists.create(given)),
            {},
        ),
    ]


async def json_object(request: Request) -> Json | None:
    """The body where it is a JSON object and says so."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        content = json.loads(await request.body() or b"{}")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _routes(
    things: str, create: Callable[[Json], Json] | None, acts: dict[str, Act]
) -> list[Route]:
    async def make(request: Request) -> Response:
        return _driven(create, await json_object(request), 201) if create else _missing()

    async def act(request: Request) -> Response:
        found = acts.get(request.path_params["action"])
        if found is None:
            return _missing()
        key = request.path_params["id"]
        return _driven(lambda given: found(key, given), await json_object(request))

    made = [Route(f"/_sandbox/{things}", make, methods=["POST"])] if create else []
    return [*made, Route(f"/_sandbox/{things}/{{id}}/{{action}}", act, methods=["POST"])]


def _missing() -> Response:
    return JSONResponse({"error": "no such action"}, 404)


def _driven(action: Callable[[Json], Json], given: Json | None, status: int = 200) -> Response:
    if given is None:
        return JSONResponse({"error": "the body must be a JSON object"}, 422)
    try:
        return JSONResponse(action(given), status)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        return JSONResponse({"error": str(error)}, 422)


def _orders(sandbox: ShopifySandbox) -> dict[str, Act]:
    acts: dict[str, Act] = {
        "update": sandbox.update_order,
        "edit": sandbox.edit_order,
        "cancel": lambda key, given: sandbox.cancel_order(key, **given),
        "pay": lambda key, given: sandbox.pay_order(key, **given),
        "refund": lambda key, given: sandbox.refund_order(key, **given),
        "ship": lambda key, given: sandbox.dispatch.ship(key, **given).body(),
        "track": lambda key, given: sandbox.dispatch.track(key, **given).body(),
        "unship": lambda key, given: sandbox.dispatch.cancel(key, **given).body(),
        "delete": lambda key, _: sandbox.delete_order(key),
        "hold": lambda key, given: sandbox.desk.groups.hold(key, **given).body(),
        "release": lambda key, given: sandbox.desk.groups.release(key, **given).body(),
        "split": lambda key, given: sandbox.desk.groups.split(key, **given).body(),
    }

    def shown(act: Act) -> Act:
        return lambda key, given: _order(act(key, given))

    def back(key: Any, given: Json) -> Json:
        return _return(sandbox, sandbox.desk.returns.make(key, **given))

    return {name: shown(act) for name, act in acts.items()} | {"return": back}


def _returns(sandbox: ShopifySandbox) -> dict[str, Act]:
    def shown(name: str) -> Act:
        # Asked for at each call: a reset makes a new shop.
        return lambda key, given: _return(
            sandbox, getattr(sandbox.desk.returns, name)(key, **given)
        )

    same = ("approve", "decline", "process", "close", "cancel")
    return {name: shown(name) for name in same} | {"update": shown("remove")}


def _people(sandbox: ShopifySandbox) -> dict[str, Act]:
    def delete(key: Any, _: Json) -> Json:
        sandbox.desk.people.delete(key)
        return {"id": str(key), "customer": {"id": int(key)}}

    return {
        "update": lambda key, given: _customer(sandbox.desk.people.update(key, given)),
        "delete": delete,
        "redact": lambda key, _: _customer(sandbox.desk.people.redact(key)),
        "data_request": lambda key, _: _customer(sandbox.desk.people.data_request(key)),
    }


def _companies(sandbox: ShopifySandbox) -> dict[str, Act]:
    def delete(key: Any, _: Json) -> Json:
        sandbox.desk.companies.delete(key)
        return {"id": str(key), "company": {"id": int(key)}}

    return {
        "update": lambda key, given: _company(sandbox.desk.companies.update(key, given)),
        "add_location": lambda key, given: _place(*sandbox.desk.companies.add_place(key, given)),
        "delete": delete,
    }


def _places(sandbox: ShopifySandbox) -> dict[str, Act]:
    def delete(key: Any, _: Json) -> Json:
        sandbox.desk.companies.delete_place(key)
        return {"id": str(key), "company_location": {"id": int(key)}}

    return {
        "update": lambda key, given: _place(*sandbox.desk.companies.update_place(key, given)),
        "delete": delete,
    }


def _goods(sandbox: ShopifySandbox) -> dict[str, Act]:
    def delete(key: Any, _: Json) -> Json:
        sandbox.desk.catalogue.delete(key)
        return {"id": str(key), "product": {"id": int(key)}}

    return {
        "update": lambda key, given: _product(sandbox.desk.catalogue.update(key, given)),
        "delete": delete,
    }


def _stock(sandbox: ShopifySandbox) -> dict[str, Act]:
    """Variants go by SKU or id here."""

    def count(key: Any, given: Json) -> Json:
        catalogue = sandbox.desk.catalogue
        catalogue.set_stock(key, **given)
        return _variant(catalogue.found(key))

    def connect(key: Any, given: Json) -> Json:
        variant = sandbox.desk.catalogue.found(key)
        sandbox.desk.catalogue.stock.connect(variant.item, **given)
        return _variant(variant)

    def disconnect(key: Any, given: Json) -> Json:
        variant = sandbox.desk.catalogue.found(key)
        sandbox.desk.catalogue.stock.disconnect(variant.item, **given)
        return _variant(variant)

    return {"stock": count, "connect": connect, "disconnect": disconnect}


def _order(body: Json) -> Json:
    return {"id": str(body["id"]), "order": body}


def _customer(customer: Customer) -> Json:
    return {"id": str(customer.id), "customer": customer.told()}


def _company(company: Company) -> Json:
    return {
        "id": str(company.id),
        "company": company.body,
        "locations": [{"id": str(one.id)} | one.body for one in company.places.values()],
        "contacts": [
            {"id": str(one.id), "customer_id": one.customer.id} for one in company.contacts
        ],
    }


def _place(company: Company, place: Place) -> Json:
    body = place.body | {"company": company.body}
    return {"id": str(place.id), "company_location": body}


def _return(sandbox: ShopifySandbox, one: Return) -> Json:
    shown = {"id": one.id, "name": one.name, "status": one.status}
    order = sandbox.desk.order(one.order_id).body()
    return {"id": str(one.id), "return": shown, "order": order}


def _price_list(one: PriceList) -> Json:
    return {"id": str(one.id), "price_list": {"name": one.name, "currency": one.currency}}


def _product(product: Product) -> Json:
    return {"id": str(product.id), "product": product.told()}


def _variant(variant: Variant) -> Json:
    def shown(level: Level) -> Json:
        names = ("available", "committed", "on_hand")
        counts = {name: level.quantity(name) for name in names}
        return {"location_id": level.location["id"]} | counts

    levels = [shown(one) for one in variant.item.levels]
    return {"id": str(variant.id), "variant": variant.told(), "levels": levels}
