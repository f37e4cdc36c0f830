import json
from datetime import UTC, datetime, timedelta

import pytest

from fizzbridge.errors import (
    ConfigurationError,
    ConflictError,
    NotThereError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
    UnreadableAnswerError,
)
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.events import DetailType
from fizzbridge.observation import Enquiry, Farewell, Hint
from fizzbridge.queues import QueueUnavailableError
from fizzbridge.runtime.batch import FIRST_WAIT, Again, Message, process
from fizzbridge.runtime.breaker import STOPPED_WAIT, Breaker
from fizzbridge.runtime.facts import facts
from fizzbridge.runtime.leases import acquire, release
from fizzbridge.runtime.limiter import Limiter
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.pull import Page
from fizzbridge.runtime.puller import DOWN_WAIT, ERASED_PER_RUN, PAGES_PER_RUN, Place, Puller
from fizzbridge.runtime.rows import ENQUIRY_SK, OPEN_ENQUIRIES
from fizzbridge.state.cursors import Cursors, cursor_key
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import ObjectsUnavailableError
from fizzbridge.state.table import TableUnavailableError
from fizzbridge.webhook.storing import from_message
from tests.kit.source import (
    CONNECTION,
    DLQ,
    PULL_QUEUE,
    Source,
    bridge,
    captured_logs,
    http_event,
    signed,
)
from tests.kit.toy import Person, ToyPull, ToyWebhook, customer

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
HINT = {"type": "hint", "what": "person", "id": "7", "correlation_id": "c"}
POLL, CONTINUE = {"type": "poll", "stream": "people"}, {"type": "continue", "stream": "people"}
KEY = f"Customer#{CONNECTION}/7/PART#record"


@pytest.fixture
def source():
    # A call of the toy goes nowhere, so its client needs no transport.
    return Source(ToyWebhook(), ToyPull())


def person(name, number="7", at=AT):
    return list(customer(Person(id=number, name=name, at=at), CONNECTION))


def delivered(source, name, at=AT):
    body = json.dumps({"id": "7", "name": name, "at": at.isoformat()}).encode()
    headers = signed(source.webhook, {"x-toy-topic": "person"}, body)
    assert source.deliver(http_event(headers, body)) == 200


# -- hints -----------------------------------------------------------------------------------------


def test_a_hint_is_fetched_and_merged(source):
    source.pull.script.append(person("Ann"))
    assert source.work(HINT) is None
    assert source.pull.asked == [Hint("person", "7")]
    assert list(source.parts()) == [KEY]
    assert source.counts() == {"merged": 1}


def test_what_is_not_there_says_nothing(source):
    source.pull.script.append(NotThereError("no such order"))
    assert source.work(HINT) is None
    assert source.parts() == {}
    assert source.messages(DLQ) == []


def test_what_was_read_settles_a_tie(source):
    delivered(source, "Ann")
    delivered(source, "Bob")
    source.pull.script.append(person("Bob"))
    source.drain()
    other = Source(ToyWebhook(), ToyPull())
    delivered(other, "Bob")
    assert source.content() == other.content()


def test_a_read_begun_before_the_last_delivery_came_is_made_again(source):
    def slow_read():
        delivered(source, "Bob")
        return person("Ann")

    source.pull.script += [slow_read, person("Bob")]
    source.work(HINT)
    assert [message["id"] for message in source.messages()] == ["7"]
    source.drain()
    assert len(source.pull.asked) == 2


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RateLimitedError("x", retry_after=timedelta(seconds=9)), Again(timedelta(seconds=9))),
        (TargetUnavailableError("x"), Again(None)),
        (ConflictError("x"), Again(None)),
        (ConfigurationError("x"), Again(timedelta(minutes=5))),
    ],
)
def test_what_may_pass_comes_again_however_often(source, error, outcome):
    source.pull.script += [error, error]
    assert source.work(HINT) == outcome
    assert source.work(HINT, receives=100) == outcome
    assert source.messages(DLQ) == []


@pytest.mark.parametrize(
    "down", [TableUnavailableError, QueueUnavailableError, ObjectsUnavailableError]
)
def test_the_end_of_an_outage_of_ours_is_not_slept_through(source, down):
    source.pull.script += [down("x")] * 3
    waits = [source.work(HINT, receives=receives) for receives in (1, 3, 100)]
    assert waits == [Again(timedelta(seconds=2)), Again(timedelta(seconds=8)), Again(DOWN_WAIT)]
    assert source.messages(DLQ) == []


def test_what_will_not_pass_goes_to_a_person_at_once(source):
    source.pull.script.append(TargetRejectedError("no", code="NOPE"))
    assert source.work(HINT) is None
    (letter,) = source.queue.sent(DLQ)
    assert json.loads(letter.body) == HINT
    assert letter.attributes == {"reason": "NOPE", "blame": "customer_config", "code": "NOPE"}
    assert source.counts() == {"parked": 1}


def test_what_nobody_knows_is_tried_five_times(source):
    source.pull.script += [KeyError("canary-person")] * 5
    for receives in range(1, 5):
        with pytest.raises(KeyError):
            source.work(HINT, receives)
    with captured_logs() as text:
        assert source.work(HINT, 5) is None
    (letter,) = source.queue.sent(DLQ)
    assert letter.attributes["reason"] == "internal"
    assert letter.attributes["blame"] == "ours"
    assert "canary-person" not in text()


def test_an_answer_nobody_can_read_is_tried_five_times_and_is_the_vendors(source):
    source.pull.script += [UnreadableAnswerError("GET /people: no name")] * 5
    for receives in range(1, 5):
        assert source.work(HINT, receives) == Again(None)
    assert source.messages(DLQ) == []
    with captured_logs() as text:
        assert source.work(HINT, 5) is None
    (letter,) = source.queue.sent(DLQ)
    assert json.loads(letter.body) == HINT
    assert letter.attributes == {"reason": "unreadable", "blame": "vendor", "code": "unreadable"}
    assert "GET /people: no name" in text()
    assert source.counts() == {"retried": 4, "parked": 1}


def test_an_unknown_message_goes_to_a_person(source):
    assert source.work({"type": "birthday"}) is None
    assert source.messages(DLQ) == [{"type": "birthday"}]


def test_a_connection_that_does_not_work_is_not_called_until_it_is_probed(source):
    source.pull.script += [ConfigurationError("x"), person("Ann")]
    source.work(HINT)
    assert source.breaker().name == "open"
    assert source.work(HINT) == Again(STOPPED_WAIT)
    assert len(source.pull.asked) == 1
    source.probe()
    assert source.work(HINT) is None
    assert list(source.parts()) == [KEY]


def test_what_needs_no_vendor_is_taken_in_while_a_connection_is_paused(source):
    Breaker(source.table, CONNECTION, source.clock).pause("ann", "stocktaking")
    spilled(source, "Bob")
    source.drain()
    assert list(source.parts()) == [KEY]
    assert source.work(HINT) == Again(STOPPED_WAIT)
    assert source.pull.asked == []


def tick(source, body, waited):
    return source.puller.work(Message("m", body, 1, source.clock() - timedelta(seconds=waited)))


def test_of_ticks_that_waited_out_a_pause_only_the_first_asks_the_vendor(source):
    breaker = Breaker(source.table, CONNECTION, source.clock)
    breaker.pause("ann", "stocktaking")
    assert tick(source, POLL, 0) == Again(STOPPED_WAIT)
    source.clock.advance(timedelta(days=3).total_seconds())
    breaker.resume()
    source.pull.script += [Page(person("Ann"), "", is_last=True)] * 2
    for waited in range(3 * 24 * 3600, 0, -900):
        assert tick(source, POLL, waited) is None
    assert len(source.pull.asked) == 1
    source.clock.advance(900)
    assert tick(source, POLL, 1) is None
    assert len(source.pull.asked) == 2


def test_a_tick_whose_work_failed_is_not_taken_for_done(source):
    source.pull.script += [TargetUnavailableError("x"), Page(person("Ann"), "", is_last=True)]
    assert tick(source, POLL, 60) == Again(None)
    assert tick(source, POLL, 60) is None
    assert len(source.pull.asked) == 2


def test_no_secret_means_the_connection_does_not_work(source):
    del source.secrets["api"]
    assert source.work(HINT) == Again(timedelta(minutes=5))
    assert source.pull.asked == []


def test_calls_are_reserved_and_given_back(source):
    source.pull.script.append(person("Ann"))
    source.work(HINT)
    slots = source.table.get(f"CONNECTION#{CONNECTION}", "SLOTS")
    assert slots["slots"] == []


def test_our_own_limit_is_waited_out():
    source = Source(ToyWebhook(), ToyPull(), config=bridge("toy", calls={"parallel": 1}))
    Limiter(source.table, source.clock).reserve(CONNECTION, 1, 60, 1, "other", 60)
    again = source.work(HINT)
    assert timedelta(0) < again.after < timedelta(minutes=1)
    assert source.pull.asked == []
    assert source.counts() == {"retried": 1}


# -- polls -----------------------------------------------------------------------------------------


def pages(count, start=0):
    return [
        Page(person(f"P{number}", str(number)), f"after {number}", is_last=False)
        for number in range(start, start + count)
    ]


def last(number=99):
    return Page(person("L", str(number)), "end", is_last=True)


def test_a_stream_is_read_from_the_start_of_the_connection(source):
    source.pull.script.append(last())
    source.work(POLL)
    assert source.pull.asked == [("people", None, datetime(2026, 11, 1, tzinfo=UTC))]
    assert source.messages() == []


def test_the_next_round_begins_before_the_last_one_began(source):
    source.pull.script += [*pages(2), last(), last()]
    begun = source.clock()
    source.work(POLL)
    source.clock.advance(900)
    source.work(POLL)
    _, cursor, since = source.pull.asked[-1]
    assert cursor is None
    overlap = timedelta(seconds=source.config.timing.poll_overlap)
    assert timedelta(0) <= since - (begun - overlap) < timedelta(seconds=1)


def test_a_platform_that_counts_its_changes_goes_on_where_it_was(source):
    told = person("Ann")
    source.pull.script += [Page(told, "41", is_last=True, carries_on=True), last()]
    source.work(POLL)
    source.work(POLL)
    assert [cursor for _, cursor, _ in source.pull.asked] == [None, "41"]


def test_pages_follow_each_other_over_several_runs(source):
    source.pull.script += [*pages(PAGES_PER_RUN + 2), last()]
    source.work(POLL)
    assert [message["type"] for message in source.messages()] == ["continue"]
    source.drain()
    cursors = [cursor for _, cursor, _ in source.pull.asked]
    assert cursors == [None, *(f"after {number}" for number in range(PAGES_PER_RUN + 2))]
    assert len({since for _, _, since in source.pull.asked}) == 1
    assert len(source.parts()) == PAGES_PER_RUN + 3


def test_a_run_begins_no_page_that_might_outlast_it(source):
    def slow_page():
        source.clock.advance(40)
        return pages(1)[0]

    source.pull.script += [slow_page, last()]
    source.work(POLL)
    assert len(source.pull.asked) == 1
    source.drain()
    assert len(source.pull.asked) == 2


def test_a_continuation_of_a_round_that_ended_reads_nothing(source):
    source.pull.script.append(last())
    source.work(POLL)
    source.work(CONTINUE)
    assert len(source.pull.asked) == 1


BACKFILL = POLL | {
    "backfill": "b1",
    "since": "2026-11-03T00:00:00.000000Z",
    "until": "2026-11-04T00:00:00.000000Z",
}


def test_a_backfill_reads_its_own_span_and_leaves_the_poll_alone(source):
    source.pull.script += [last(), *pages(PAGES_PER_RUN + 1), last()]
    source.work(POLL)
    polled = source.table.get(*cursor_key(CONNECTION, "people"))
    source.work(BACKFILL)
    (goes_on,) = source.messages()
    assert (goes_on["type"], goes_on["backfill"]) == ("continue", "b1")
    source.drain()
    asked = source.pull.asked[1:]
    assert {since for _, _, since in asked} == {datetime(2026, 11, 3, tzinfo=UTC)}
    assert source.pull.until == datetime(2026, 11, 4, tzinfo=UTC)
    assert [cursor for _, cursor, _ in asked][:2] == [None, "after 0"]
    assert source.table.get(*cursor_key(CONNECTION, "people")) == polled
    assert len(source.parts()) == PAGES_PER_RUN + 2


def test_a_backfill_that_is_done_is_not_done_again(source):
    source.pull.script += [*pages(1), last()]
    source.work(BACKFILL)
    source.work(BACKFILL)
    source.work(BACKFILL | {"type": "continue"})
    assert len(source.pull.asked) == 2


def test_the_cursor_moves_only_after_the_page_is_merged(source):
    def merge_will_fail():
        source.table.is_down = True
        return pages(1, start=1)[0]

    source.pull.script += [pages(1)[0], merge_will_fail]
    assert source.work(POLL) == Again(FIRST_WAIT)
    source.table.is_down = False
    # The lease could not be given back either; it ends by itself.
    assert source.work(POLL) is None
    source.clock.advance(source.config.timing.lease + 1)
    source.pull.script.append(last())
    source.work(POLL)
    assert [cursor for _, cursor, _ in source.pull.asked] == [None, "after 0", "after 0"]


def test_two_polls_at_once_are_one(source):
    lease = acquire(source.table, *cursor_key(CONNECTION, "people"), "other", 60, source.clock())
    assert source.work(POLL) is None
    assert source.pull.asked == []
    release(source.table, lease)
    source.pull.script.append(last())
    source.work(POLL)
    assert len(source.pull.asked) == 1


def test_a_poller_that_lost_its_place_stops(source):
    def overtaken():
        cursors = Cursors(source.table, source.clock)
        there = cursors.read(CONNECTION, "people")
        cursors.advance(there, Place(AT).text())
        return pages(1)[0]

    source.pull.script.append(overtaken)
    assert source.work(POLL) is None
    assert len(source.pull.asked) == 1
    assert source.messages() == []


def test_a_place_is_stored_as_it_is():
    for place in (Place(AT), Place(AT, AT, "c"), Place(AT, AT), Place(AT, cursor="41")):
        assert Place.parse(place.text(), datetime.now(UTC)) == place
    assert Place.parse("", AT) == Place(AT)


# -- deliveries ------------------------------------------------------------------------------------


def spilled(source, name="Ann"):
    source.table.is_down = True
    delivered(source, name)
    source.table.is_down = False


def test_what_was_spilled_is_merged_as_if_it_had_not_been(source):
    spilled(source)
    source.clock.advance(4 * 3600)
    source.drain()
    other = Source(ToyWebhook(), ToyPull())
    delivered(other, "Ann")
    assert source.content() == other.content()
    (row,) = source.parts().values()
    assert row["observed_at"] < to_text(source.clock() - timedelta(hours=3))


def test_what_cannot_be_read_is_quarantined_and_can_come_back(source):
    delivered(source, "bug")
    assert source.work(source.messages()[0]) is None
    source.queue.take(PULL_QUEUE)
    (letter,) = source.queue.sent(DLQ)
    assert letter.attributes == {"reason": "mapping_bug", "blame": "ours", "code": "mapping_bug"}
    message = json.loads(letter.body)
    # Personal data is in the bucket only.
    assert "body_base64" not in message
    assert b"bug" in from_message(message, source.objects).body
    (row,) = source.table.query(f"CONNECTION#{CONNECTION}", "QUARANTINE#")
    assert json.loads(row["message"]) == message
    assert row["expires_at"] > source.clock().timestamp()
    assert source.counts()["quarantined"] == 1
    # Replayed as it is, it goes the same way again.
    assert source.work(message) is None
    assert len(source.table.query(f"CONNECTION#{CONNECTION}", "QUARANTINE#")) == 1


def test_a_delivery_of_an_unknown_topic_is_nothing_to_do(source):
    spilled(source)
    (message,) = source.messages()
    message["headers"]["x-toy-topic"] = "retired"
    assert source.work(message) is None
    assert source.parts() == {}
    assert source.messages(DLQ) == []


def test_a_delivery_where_no_webhook_is_known_goes_to_a_person(source):
    spilled(source)
    message = json.loads(source.queue.take(PULL_QUEUE)[0].body)
    puller = Puller(source.pull, None, source.given, source.metrics, source.clock)
    assert puller.work(Message("m", message, 1)) is None
    assert len(source.messages(DLQ)) == 1


# -- batches ---------------------------------------------------------------------------------------


def test_of_a_batch_only_what_failed_comes_back(source):
    source.pull.script += [person("Ann"), TargetUnavailableError("x"), person("Bob", "8")]
    hidden = []
    event = {
        "Records": [
            {
                "messageId": name,
                "body": json.dumps(HINT),
                "receiptHandle": f"r-{name}",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:1:pull",
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for name in "abc"
        ]
    }
    answer = process(event, source.puller.work, lambda *hide: hidden.append(hide))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "b"}]}
    assert [receipt for _, receipt, _ in hidden] == ["r-b"]
    assert len(source.parts()) == 2


# -- who asks, and who leaves ------------------------------------------------------------------


def tell(source, *told):
    how = Circumstances(AT, is_authoritative=False, correlation_id="c", source="privacy")
    source.puller._intake.take(told, source.webhook.clock, how)


def test_an_enquiry_waits_for_a_person_and_is_announced(source):
    delivered(source, "Ann")
    ann = ref(Kind.CUSTOMER, CONNECTION, "7")
    tell(source, Enquiry(ann))
    row = source.table.get(str(ann), ENQUIRY_SK)
    assert row["cause"] == OPEN_ENQUIRIES
    ((kind, event),) = facts(None, row, source.objects)
    assert kind is DetailType.DATA_REQUESTED
    assert (event.connection, event.key) == (CONNECTION, ann.key)
    answered = {name: value for name, value in row.items() if name != "cause"}
    assert not list(facts(row, answered, source.objects))


def test_when_a_shop_leaves_everybody_it_told_of_is_erased(source):
    everybody = ERASED_PER_RUN + 5
    for number in range(everybody):
        source.pull.script.append(person(f"Ann {number}", str(number)))
        source.work(HINT | {"id": str(number)})
    tell(source, Farewell("another.example"))
    assert not source.messages()
    tell(source, Farewell("fizz-depot.myshopify.com"))
    source.drain()
    kept = [row for row in source.parts().values() if "Ann" in str(row)]
    assert len(source.parts()) == everybody
    assert not kept
    source.pull.script.append(person("Ann again", "3", AT + timedelta(days=1)))
    source.work(HINT | {"id": "3"})
    assert "Ann again" not in str(source.parts())
