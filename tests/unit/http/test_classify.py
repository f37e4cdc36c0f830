import re
from datetime import timedelta
from decimal import Decimal

import pytest

from fizzbridge import errors
from fizzbridge.http.classify import Answer, ErrorRules, Rule, at, clean, personal, retry_after


def answer(status=200, data=None, **headers):
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, data, "", "r-1")


def error(given, rules=None, *, writes=False):
    rules = rules or ErrorRules()
    return rules.error(given, platform="acme", call="POST /x", writes=writes)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_success_is_no_error(status):
    assert error(answer(status)) is None


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (302, errors.ConfigurationError, errors.ConfigurationError),
        (400, errors.TargetRejectedError, errors.TargetRejectedError),
        (401, errors.ConfigurationError, errors.ConfigurationError),
        (403, errors.ConfigurationError, errors.ConfigurationError),
        (404, errors.NotThereError, errors.NotThereError),
        (408, errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (409, errors.ConflictError, errors.ConflictError),
        (422, errors.TargetRejectedError, errors.TargetRejectedError),
        (425, errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (429, errors.RateLimitedError, errors.RateLimitedError),
        (500, errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (503, errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (600, errors.TargetUnavailableError, errors.OutcomeUnknownError),
    ],
)
def test_the_common_table_knows_both_axes(status, read, write):
    assert type(error(answer(status))) is read
    assert type(error(answer(status), writes=True)) is write


def test_an_adapters_rows_come_first_and_read_the_body():
    rules = ErrorRules(
        (
            Rule("success", status=422, where={"code": "ALREADY"}),
            Rule(errors.RateLimitedError, status=200, where={"errors.0.code": "THROTTLED"}),
            Rule(errors.ConflictError, where={"message": re.compile("lock")}),
            Rule(errors.ConfigurationError, media="text/html"),
        )
    )
    assert error(answer(422, {"code": "ALREADY"}), rules) is None
    assert type(error(answer(422, {"code": "OTHER"}), rules)) is errors.TargetRejectedError
    throttled = answer(200, {"errors": [{"code": "THROTTLED"}]})
    assert type(error(throttled, rules)) is errors.RateLimitedError
    locked = answer(500, {"message": "row is locked"})
    assert type(error(locked, rules, writes=True)) is errors.ConflictError
    page = answer(200, content_type="text/html; charset=utf-8")
    assert type(error(page, rules)) is errors.ConfigurationError


def test_a_plain_condition_tells_false_from_zero_and_from_absent():
    rule = Rule(errors.ConflictError, where={"ids": False})
    assert rule.matches(answer(data={"ids": False}))
    assert not rule.matches(answer(data={"ids": 0}))
    assert not rule.matches(answer(data={}))
    assert Rule(errors.ConflictError, where={"ids": None}).matches(answer(data={}))


def test_an_error_carries_the_vendors_words_code_id_and_blame():
    rules = ErrorRules((Rule(errors.TargetRejectedError, status=500, blame="ours"),))
    found = error(answer(500, {"message": "no such field", "code": "E7"}), rules)
    assert (found.code, found.request_id, found.platform) == ("E7", "r-1", "acme")
    assert found.message == "POST /x was answered 500: no such field"
    assert found.blame == "ours"
    assert errors.TargetRejectedError.blame == "customer_config"


def test_waiting_is_read_from_seconds_a_date_or_the_body():
    assert retry_after({"retry-after": "2.5"}) == timedelta(seconds=2.5)
    date = {"retry-after": "Sun, 01 Nov 2026 10:00:30 GMT", "date": "Sun, 01 Nov 2026 10:00:00 GMT"}
    assert retry_after(date) == timedelta(seconds=30)
    past = {"retry-after": "Sun, 01 Nov 2020 10:00:30 GMT"}
    assert retry_after(past) == timedelta(0)
    assert retry_after({}) is None
    assert retry_after({"retry-after": "soon"}) is None
    rules = ErrorRules(retry_after=lambda got: timedelta(seconds=int(at(got.data, "wait"))))
    limited = answer(429, {"wait": Decimal(7)}, retry_after="1")
    assert error(limited, rules).retry_after == timedelta(seconds=7)


def test_a_path_leads_through_objects_and_lists():
    body = {"a": [{"b": 1}]}
    assert at(body, "a.0.b") == 1
    for path in ("a.1.b", "a.x", "b", "a.0.b.c"):
        assert at(body, path) is None


def test_a_vendors_sentence_is_stripped_of_people_and_secrets():
    sent = {"name": "Blue  Bar", "city": "Cork", "sku": "COLA330", "vat": ["IE1234567T"], "n": 1}
    said = clean(
        "<b>Blue Bar</b> in Cork (ann@example.com, +353 21 123456, IE1234567T) wants\nCOLA330, key "
        "0123456789abcdef0123456789abcdef01234567",
        set(personal(sent)),
    )
    for secret in ("Blue", "Cork", "ann@", "+353", "IE1234567T", "0123456789abcdef", "<b>", "\n"):
        assert secret not in said
    assert "COLA330" in said


def test_a_long_sentence_is_cut():
    assert clean("no " * 500).endswith("…")
    assert len(clean("no " * 500)) == 300


def test_an_answer_shows_no_body():
    assert "ann" not in repr(Answer(200, {"x": "ann"}, {"x": "ann"}, "ann", ""))


def test_part_of_a_longer_text_and_a_card_are_known_again():
    said = set(personal({"note": "<p>ring Ada Lovelace, please</p>"}))
    assert clean("no such partner: Ada Lovelace", said) == "no such partner: …"
    assert clean("ring back at 9, please", said) == "ring back at 9, please"
    for card in ("4929 1357 2468 0013", "4929-1357-2468-0013", "4929135724680013"):
        assert clean(f"card {card} is stolen") == "card … is stolen"
    assert clean("item 5449000000996 is not known") == "item 5449000000996 is not known"
