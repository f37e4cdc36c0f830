"""`fizzbridge plan`, `check`, `recreate` and the maps' files, as people use them."""

from __future__ import annotations

import json
import threading
import zlib
from datetime import date

import pytest

from fizzbridge.manifest import End
from fizzbridge.model.entity import Kind, ref
from fizzbridge.runtime.asked import answer_sk
from fizzbridge.state import Write

PLAN = {
    "does": "change",
    "why": "",
    "is_whole": False,
    "steps": [
        {
            "call": "PATCH /orders/57",
            "fields": [{"name": "lines.0.quantity", "was": "2", "becomes": "5"}],
        }
    ],
}


@pytest.fixture
def answering(stack):
    """What the target's function does, once, with the message it finds."""
    asked, threads = [], []

    def start(answer, connection="erp"):
        url = stack.connections[connection]["DocumentsQueueUrl"]

        def run():
            (message,) = stack.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
            asked.append(json.loads(message["Body"]))
            row = {"answer": zlib.compress(json.dumps(answer).encode())}
            stack.table.write(
                Write(
                    f"CONNECTION#{connection}",
                    answer_sk(asked[0]["asked"]),
                    set=row,
                    replace=True,
                )
            )

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return asked

    yield start
    for thread in threads:
        thread.join(30)


def test_a_plan_is_shown_field_by_field(fizzbridge, shop, answering):
    order = shop.order(1)
    asked = answering(PLAN)
    told = fizzbridge("plan", "#FZ1001", "--to", "erp")
    assert told.code == 0, told.err
    assert (asked[0]["type"], asked[0]["entity"]) == ("plan", str(order))
    for word in ("would be changed", "PATCH /orders/57", "lines.0.quantity", "depends on"):
        assert word in told.out


def test_a_dead_letter_is_planned_before_it_goes_back(fizzbridge, stack, shop, answering, messages):
    order = shop.order(1)
    body = {"kind": "Order", "key": order.key, "connection": "erp", "reason": "no"}
    told = {"DataType": "String", "StringValue": "rejected"}
    dlq = stack.connections["erp"]["DlqUrl"]
    stack.sqs.send_message(
        QueueUrl=dlq, MessageBody=json.dumps(body), MessageAttributes={"reason": told}
    )
    asked = answering(PLAN)
    shown = fizzbridge("dlq", "redrive", "--plan")
    assert shown.code == 0, shown.err
    assert [(one["type"], one["entity"]) for one in asked] == [("plan", str(order))]
    for word in ("PATCH /orders/57", "lines.0.quantity", "1 planned"):
        assert word in shown.out
    assert len(messages(dlq)) == 1


def test_what_is_no_dead_letter_is_not_planned(fizzbridge):
    assert "No message or order is called x" in fizzbridge("dlq", "redrive", "x", "--plan").err


def test_what_cannot_be_planned_is_one_sentence(fizzbridge, shop, answering):
    shop.order(1)
    answering({"error": "the key is not known there", "code": "x", "blame": "ours"})
    told = fizzbridge("plan", "#FZ1001", "--to", "erp")
    assert told.code == 1
    assert "erp: the key is not known there" in told.err


def test_a_source_is_asked_nothing(fizzbridge, shop):
    shop.order(1)
    told = fizzbridge("plan", "#FZ1001", "--to", "shop-uk")
    assert told.code == 1
    assert "'shop-uk' is no target" in told.err


def test_a_check_ends_badly_while_something_needs_doing(fizzbridge, answering):
    good = {"what": "connection", "is_good": True, "message": "the credentials work"}
    bad = {"what": "tax 0.2", "is_good": False, "message": "map it"}
    answering({"findings": [good, bad]})
    told = fizzbridge("check", "erp")
    assert told.code == 1
    for word in ("to do", "tax 0.2", "map it", "1 of 2 need doing"):
        assert word in told.out


@pytest.mark.parametrize(("last", "code"), [("2999-07-01", 0), ("2026-02-01", 1)])
def test_a_check_says_what_the_vendor_takes_away(fizzbridge, stack, answering, last, code):
    ends = (
        End(on=date(2026, 1, 1), what="no new connections"),
        End(on=date.fromisoformat(last), what="the API stops"),
    )
    stack.manifests["odoo"] = stack.manifests["odoo"].model_copy(update={"ends": ends})
    answering({"findings": [{"what": "connection", "is_good": True, "message": "ok"}]})
    told = fizzbridge("--json", "check", "erp")
    assert told.code == code
    assert [one["is_good"] for one in told.data["findings"]] == [True, True, code == 0]
    assert told.data["findings"][2]["message"] == "the API stops"


def test_a_check_that_finds_all_is_well(fizzbridge, answering):
    answering({"findings": [{"what": "connection", "is_good": True, "message": "ok"}]})
    told = fizzbridge("--json", "check", "erp")
    assert told.code == 0
    assert told.data["is_good"]


def test_a_suggestion_is_set_when_it_is_approved(fizzbridge, stack, answering):
    found = {"sku": "COLA", "code": "X-57", "name": "Cola", "why": "the same barcode 5"}
    answering({"suggestions": [found]})
    told = fizzbridge("map", "suggest", "erp", "--approve", "COLA")
    assert told.code == 0, told.err
    assert stack.table.get("MAP#erp#sku", "COLA")["mapped"] == "X-57"


def test_a_shops_suggestion_is_set_the_other_way_round_and_shown(
    fizzbridge, stack, answering, messages
):
    names = ("DocumentsQueueUrl", "LevelsQueueUrl")
    stack.connections["shop-uk"] |= {name: stack.connections["erp"][name] for name in names}
    level = ref(Kind.STOCK_LEVEL, "erp", "COLA@WH")
    stack.table.write(Write("SOLD#erp", str(level), set={"kind": "StockLevel"}))
    stack.table.write(Write(str(level), "LINK#shop-uk", set={"wanted": "a", "synced": "a"}))
    found = {"sku": "COLA", "code": "co-la", "name": "Cola", "why": "nearly the same code"}
    answering({"suggestions": [found]}, "shop-uk")
    told = fizzbridge("map", "suggest", "shop-uk", "--approve", "COLA")
    assert told.code == 0, told.err
    assert stack.table.get("MAP#shop-uk#sku", "co-la")["mapped"] == "COLA"
    assert stack.table.get("MAP#shop-uk#sku", "COLA") is None
    (hint,) = messages(stack.connections["shop-uk"]["LevelsQueueUrl"])
    assert hint["detail"]["key"] == level.key


def test_nothing_is_set_for_what_nobody_suggested(fizzbridge, stack, answering):
    answering({"suggestions": []})
    told = fizzbridge("map", "suggest", "erp", "--approve", "COLA")
    assert told.code == 1
    assert stack.table.get("MAP#erp#sku", "COLA") is None


def test_maps_go_out_as_a_file_and_come_back(fizzbridge, stack, tmp_path):
    fizzbridge("map", "set", "erp", "sku", "COLA", "X-57")
    fizzbridge("map", "set", "erp", "tax", "0.2", "20%, sales")
    text = fizzbridge("map", "export", "erp").out
    assert text == 'sort,value,mapped\nsku,COLA,X-57\ntax,0.2,"20%, sales"\n'
    file = tmp_path / "maps.csv"
    file.write_text(text.replace("X-57", "X-58") + "unit,CASE 24,Case of 24\n")
    told = fizzbridge("--json", "map", "import", "erp", file)
    assert told.code == 0, told.err
    assert told.data["set"] == 2
    assert stack.table.get("MAP#erp#sku", "COLA")["mapped"] == "X-58"
    assert stack.table.get("MAP#erp#unit", "CASE 24")["mapped"] == "Case of 24"


def test_a_dry_run_sets_nothing(fizzbridge, stack, tmp_path):
    file = tmp_path / "maps.csv"
    file.write_text("sort,value,mapped\nsku,COLA,X-57\n")
    told = fizzbridge("--json", "map", "import", "erp", file, "--dry-run")
    assert told.data == {"connection": "erp", "set": 1, "held": 0, "dry_run": True}
    assert stack.table.get("MAP#erp#sku", "COLA") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b\n1,2\n", "The first line must be: sort,value,mapped"),
        ("sort,value,mapped\nsku,COLA,\n", "line 2: needs"),
        ("sort,value,mapped\nsku,COLA,X\nsku,COLA,Y\n", "line 3: sku COLA is there twice"),
        ("sort,value,mapped\nsku,COLA,X,Y\n", "line 2: needs"),
    ],
)
def test_a_wrong_file_sets_nothing_and_names_its_lines(fizzbridge, tmp_path, text, complaint):
    file = tmp_path / "maps.csv"
    file.write_text(text)
    told = fizzbridge("map", "import", "erp", file)
    assert told.code == 1
    assert complaint in " ".join(told.err.split())


def parked(stack, order, reason="deleted_at_target"):
    row = {"status": "parked", "external_id": "57", "stamp": "s", "generation": 0}
    stack.table.write(Write(str(order), "LINK#erp", set=row | {"reason": reason}))


def test_what_was_deleted_is_made_again_when_a_person_says_so(fizzbridge, shop, stack, messages):
    order = shop.order(1)
    parked(stack, order)
    told = fizzbridge("recreate", "#FZ1001", "--to", "erp", "--why", "by mistake", "--yes")
    assert told.code == 0, told.err
    link = stack.table.get(str(order), "LINK#erp")
    assert (link["status"], link["generation"]) == ("behind", 1)
    assert "external_id" not in link
    assert "stamp" not in link
    (line,) = [
        row for row in stack.table.query(str(order), "TIMELINE#") if row["what"] == "recreated"
    ]
    assert (line["why"], line["external_id"]) == ("by mistake", "57")
    assert "arn:" in line["by"]
    (hint,) = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    assert hint["detail"]["key"] == order.key


@pytest.mark.parametrize("why", ["", "  "])
def test_it_needs_a_reason(fizzbridge, shop, why):
    shop.order(1)
    told = fizzbridge("recreate", "#FZ1001", "--to", "erp", "--why", why, "--yes")
    assert told.code == 1
    assert "Say why" in told.err


def test_what_is_there_is_not_made_again(fizzbridge, shop):
    shop.order(1)
    told = fizzbridge("recreate", "#FZ1001", "--to", "erp", "--why", "x", "--yes")
    assert told.code == 1
    assert "is not parked at erp" in told.err


def test_what_is_parked_for_anything_else_is_not_made_again(fizzbridge, shop, stack, messages):
    order = shop.order(1)
    parked(stack, order, reason="rejected")
    before = stack.table.get(str(order), "LINK#erp")
    told = fizzbridge("recreate", "#FZ1001", "--to", "erp", "--why", "x", "--yes")
    assert told.code == 1
    assert "is not parked at erp for an object that is gone" in " ".join(told.err.split())
    assert stack.table.get(str(order), "LINK#erp") == before
    assert not messages(stack.connections["erp"]["DocumentsQueueUrl"])
