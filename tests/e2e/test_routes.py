"""A route added later: a second deployment, so these come last and on the same stack."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from cli.main import app


def without_routes(text: str) -> str:
    before, _, after = text.partition("[[routes]]")
    return before + after[after.index("[[schedules]]") :]


def test_a_route_added_later_books_exactly_what_is_missing(house):
    early, _ = house.place()
    house.await_link(early, "synced")
    house.up(without_routes)
    orders = [house.place()[0] for _ in range(3)]
    for order in orders:
        house.await_(
            lambda order=order: bool(house.link(order, "assess").get("synced")),
            lambda order=order: f"{order} was not assessed",
        )
        assert house.link(order) == {}
    created = house.erp.created()
    house.up()
    since = "2026-01-01"
    done = CliRunner().invoke(
        app, ["--json", "route", "apply", "--connection", "erp", "--since", since]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
    for order in orders:
        house.await_link(order, "synced")
    assert house.erp.created() == created + 3
    assert len(house.sales(early)) == 1
