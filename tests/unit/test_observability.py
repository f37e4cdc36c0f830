from __future__ import annotations

import io
import json
import uuid

import pytest

from fizzbridge.observability import (
    HIDDEN,
    Metric,
    Metrics,
    log,
    log_context,
    make_logger,
    new_correlation_id,
)


@pytest.fixture
def lines():
    """A logger and the lines it has written."""
    stream = io.StringIO()
    logger = make_logger(uuid.uuid4().hex, stream)
    return logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "client_secret",
        "accessToken",
        "refresh-token",
        "Authorization",
        "X-Shopify-Hmac-Signature",
        "api_key",
        "apikey",
        "password",
        "email",
        "E-Mail",
        "shippingAddress",
        "first_name",
        "customerName",
        "phone",
        "body",
        "note",
        "url",
    ],
)
def test_keys_of_secrets_and_persons_are_hidden(lines, key):
    logger, written = lines
    logger.info("merged", extra={key: "canary", "deep": [{key: ["canary"]}]})
    (line,) = written()
    assert line[key] == HIDDEN
    assert "canary" not in json.dumps(line)


@pytest.mark.parametrize(
    "key", ["connection", "kind", "key", "function_name", "tokens", "reason", "topic", "version"]
)
def test_plain_keys_are_shown(lines, key):
    logger, written = lines
    logger.info("merged", extra={key: "shown"})
    assert written()[0][key] == "shown"


def test_an_exception_is_told_without_its_text(lines):
    logger, written = lines
    try:
        try:
            int("canary")
        except ValueError as error:
            raise RuntimeError("canary") from error
    except RuntimeError:
        logger.exception("failed")
    (line,) = written()
    assert line["exception_name"] == "RuntimeError"
    assert "ValueError" in line["exception"]
    assert "test_an_exception_is_told_without_its_text" in line["exception"]
    assert "canary" not in json.dumps(line)


def test_an_exception_hidden_by_another_is_not_told(lines):
    logger, written = lines
    try:
        try:
            int("x")
        except ValueError:
            raise RuntimeError from None
    except RuntimeError:
        logger.exception("failed")
    assert "ValueError" not in written()[0]["exception"]


def test_the_correlation_id_is_on_lines_within(capsys, lines):
    logger, written = lines
    with logger.append_context_keys(correlation_id="one"):
        logger.info("within")
    logger.info("after")
    assert [line.get("correlation_id") for line in written()] == ["one", None]


def test_the_context_is_that_of_the_common_logger():
    before = dict(log.get_current_keys())
    with log_context("one", connection="shop"):
        assert log.get_current_keys()["correlation_id"] == "one"
        assert log.get_current_keys()["connection"] == "shop"
    assert log.get_current_keys() == before


def test_what_a_context_within_said_ends_with_it():
    with log_context("one", connection="shop"):
        with log_context("two", connection="erp", entity="Order#shop/1"):
            assert log.get_current_keys()["connection"] == "erp"
        keys = log.get_current_keys()
        assert (keys["correlation_id"], keys["connection"]) == ("one", "shop")
        assert "entity" not in keys


def test_correlation_ids_differ():
    assert new_correlation_id() != new_correlation_id()


def test_metrics_are_one_line_per_connection():
    written: list[str] = []
    with Metrics(written.append, clock=lambda: 12.5) as metrics:
        metrics.count(Metric.MERGED, "shop")
        metrics.count(Metric.MERGED, "shop", 2)
        metrics.measure(Metric.AGE_MS, "erp", 40)
        metrics.measure(Metric.AGE_MS, "erp", 60)
    shop, erp = map(json.loads, written)
    assert (shop["connection"], shop["merged"]) == ("shop", [3])
    assert (erp["connection"], erp["age_ms"]) == ("erp", [40, 60])
    assert shop["_aws"] == {
        "Timestamp": 12500,
        "CloudWatchMetrics": [
            {
                "Namespace": "fizzbridge",
                "Dimensions": [["connection"]],
                "Metrics": [{"Name": "merged", "Unit": "Count"}],
            }
        ],
    }
    assert erp["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "age_ms", "Unit": "Milliseconds"}
    ]


def test_further_dimensions_take_a_line_of_their_own():
    written: list[str] = []
    with Metrics(written.append) as metrics:
        metrics.measure(Metric.HELD_ORDERS, "shop", 3, reason="MAPPING")
        metrics.measure(Metric.HELD_ORDERS, "shop", 0, reason="STOCK")
        metrics.measure(Metric.SILENT, "shop", 0)
    mapping, stock, shop = map(json.loads, written)
    assert (mapping["reason"], mapping["held_orders"]) == ("MAPPING", [3])
    assert (stock["reason"], stock["held_orders"]) == ("STOCK", [0])
    assert "reason" not in shop
    for line, names in ((mapping, ["connection", "reason"]), (shop, ["connection"])):
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [names]


def test_many_values_take_several_lines():
    written: list[str] = []
    metrics = Metrics(written.append)
    for value in range(250):
        metrics.measure(Metric.AGE_MS, "erp", value)
    metrics.flush()
    assert [len(json.loads(line)["age_ms"]) for line in written] == [100, 100, 50]


def test_metrics_are_written_after_an_error_and_only_once(capsys):
    metrics = Metrics()

    def invocation():
        with metrics:
            metrics.count(Metric.RECEIVED, "shop")
            raise LookupError

    with pytest.raises(LookupError):
        invocation()
    metrics.flush()
    assert len(capsys.readouterr().out.splitlines()) == 1
