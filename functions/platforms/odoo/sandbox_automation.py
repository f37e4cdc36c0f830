"""The vendor's automation rules that post a changed record, and how little they try.

Sent after the commit and before the answer, one after another: one second each, no second try, no
signature, no header of ours.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from platforms.odoo.sandbox_domain import Conditions
from platforms.odoo.sandbox_records import CLASSES, DEFAULTS, Records
from platforms.odoo.sandbox_store import MODELS, Row, Transaction, User
from sandbox.deliveries import Delivery, Outbox, poster

SECOND = 1.0
HEADERS = {
    "User-Agent": "python-requests/2.31.0",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
    "Content-Type": "application/json",
}
HIDDEN = {"write_date", "write_fraction"}
"""What moves with every write, so that no rule may wait for it."""
CHOSEN: dict[str, tuple[str, str]] = {
    "sale.order": (
        "name state client_order_ref origin partner_id amount_total commitment_date order_line",
        "state amount_total delivery_status invoice_status client_order_ref commitment_date",
    ),
    "account.move": (
        "name state move_type payment_state partner_id amount_total amount_residual invoice_date"
        " reversed_entry_id",
        "state payment_state amount_total amount_residual",
    ),
    "account.payment": ("name state payment_type partner_id amount memo date", "state amount"),
    "stock.picking": (
        "name state origin sale_id partner_id date_done backorder_id return_id",
        "state date_done",
    ),
    "stock.quant": ("product_id location_id quantity reserved_quantity", ""),
    "product.product": ("default_code name list_price active", ""),
    "product.pricelist.item": ("pricelist_id product_id fixed_price min_quantity", ""),
    "res.partner": ("name ref email type parent_id active", ""),
}
"""By model, what a person chose to send and what to wait for (nothing: for any write)."""
DEFAULTS.update(
    {
        "base.automation": {"active": True},
        "ir.actions.server": {"usage": "ir_actions_server", "state": "object_write", "sequence": 5},
    }
)


class Hooks(Outbox):
    """Posts a body once and forgets it, whatever the receiver says."""

    def __init__(self) -> None:
        super().__init__(poster(SECOND, SECOND), (), sys.maxsize, lambda _: None)

    def add(self, delivery: Delivery) -> None:
        """Post now, while the user waits; kept for a test to send in manual mode."""
        self.deliveries.append(delivery)
        if self.mode == "auto":
            self._attempt(delivery)
            if delivery.status == "waiting":
                delivery.status = "given_up"


class Automations(Records):
    """``base.automation``: its actions are bound to it and to its model."""

    def check(self, row: Row) -> None:
        """The filter is a domain over the rule's model."""
        super().check(row)
        try:
            ast.literal_eval(row.get("filter_domain") or "[]")
        except SyntaxError as error:
            raise ValueError(f"Invalid domain {row['filter_domain']!r}") from error


class Automation:
    """What the rules of a database say about one transaction.

    Args:
        txn: the transaction about to be committed.
    """

    def __init__(self, txn: Transaction) -> None:
        self.txn, self.store = txn, txn.store
        rows = self.store.rows
        self.before = {key: rows[key[0]].get(key[1]) for key in txn.changes}

    def deliveries(self) -> Iterator[Delivery]:
        """The posts after the commit, in the order of the changes."""
        now = Transaction(self.store)
        rules = list(_rules(now)) if self.store.rows.get("base.automation") else []
        for (model, id_), before in self.before.items():
            after = self.store.rows[model].get(id_)
            for rule, action in rules if after else ():
                if rule["model"] == model and self.fires(rule, before, after or {}):
                    yield _delivery(now, action, model, id_)

    def fires(self, rule: Row, before: Row | None, after: Row) -> bool:
        """Whether a rule waits for this change."""
        if before is None:
            wanted = rule["trigger"] in ("on_create", "on_create_or_write")
        else:
            changed = {name for name in after if after[name] != before.get(name)} - HIDDEN
            watched = set(rule["fields"])
            wanted = rule["trigger"] != "on_create" and (not watched or bool(watched & changed))
        return wanted and rule["fits"](after)


def _rules(txn: Transaction) -> Iterator[tuple[Row, Row]]:
    """Every active rule with each of its webhook actions."""
    names = {row["id"]: row["name"] for row in txn.rows("ir.model.fields")}
    actions = list(txn.rows("ir.actions.server"))
    for row in txn.rows("base.automation"):
        model = str((txn.get("ir.model", row["model_id"]) or {}).get("model"))
        if not row.get("active") or model not in txn.store.fields:
            continue
        domain = ast.literal_eval(row.get("filter_domain") or "[]")
        fits = Conditions(_records(txn, model)).compiled(domain)
        fields = [names[id_] for id_ in row.get("trigger_field_ids", ())]
        rule = {"model": model, "trigger": row["trigger"], "fields": fields, "fits": fits}
        for action in actions:
            if action.get("base_automation_id") == row["id"] and action["state"] == "webhook":
                chosen = [names[id_] for id_ in action.get("webhook_field_ids", ())]
                yield rule, {**action, "fields": chosen, "rule": row["id"]}


def _records(txn: Transaction, model: str) -> Records:
    kind, root = CLASSES.get(model, Records), User(1, "__system__")
    return kind(txn, root, model, (), {"active_test": False})


def _delivery(txn: Transaction, action: Row, model: str, id_: int) -> Delivery:
    body = json.dumps(payload(txn, action, model, id_), sort_keys=True).encode()
    number = next(txn.store.series["deliveries"])
    uri = str(action.get("webhook_url") or "")
    headers = HEADERS | {"Content-Length": str(len(body))}
    return Delivery(f"d{number}", model, str(id_), str(action["rule"]), uri, headers, body)


def payload(txn: Transaction, action: Row, model: str, id_: int) -> Row:
    """The body: who and what, and the chosen fields raw; times with their microseconds."""
    body: Row = {
        "_action": f"{action['name']}(#{action['id']})",
        "_id": id_,
        "_model": model,
    }
    records = _records(txn, model)
    row = records.row(id_)
    if action["fields"]:
        body["id"] = id_
    for name in action["fields"]:
        value = records.shown(row, name, False)
        fraction = row.get("write_fraction" if name == "write_date" else "create_fraction", "")
        if name in ("write_date", "create_date") and fraction.strip("0"):
            value = f"{value}.{fraction}"
        body[name] = value
    return body


def describe(txn: Transaction) -> None:
    """Fill ``ir.model`` and ``ir.model.fields`` with what the database has."""
    for model, fields in txn.store.fields.items():
        number = next(txn.store.numbers["ir.model"])
        names = {"id": number, "name": MODELS[model]["label"], "model": model}
        txn.put("ir.model", number, names | txn.born)
        for name, field in fields.items():
            id_ = next(txn.store.numbers["ir.model.fields"])
            row = {"id": id_, "name": name, "model": model, "model_id": number}
            row |= {"field_description": field["string"], "ttype": field["type"]}
            row |= {"relation": field.get("relation", False)}
            txn.put("ir.model.fields", id_, row | txn.born)


def point_to(txn: Transaction, uri: str, models: Iterable[str]) -> None:
    """A person makes a rule for each model, or sends what the rules there are elsewhere."""
    actions = [row for row in txn.rows("ir.actions.server") if row["state"] == "webhook"]
    for row in actions:
        txn.change("ir.actions.server", row["id"], {"webhook_url": uri})
    if actions:
        return
    kinds = {row["model"]: row["id"] for row in txn.rows("ir.model")}
    fields = {(row["model"], row["name"]): row["id"] for row in txn.rows("ir.model.fields")}
    for model in models:
        sent, watched = (words.split() for words in CHOSEN.get(model, ("", "")))
        chosen = [fields[model, name] for name in ["id", *sent, "write_date"]]
        action = {
            "name": f"Send {MODELS[model]['label'].lower()}",
            "model_id": kinds[model],
            "state": "webhook",
            "webhook_url": uri,
            "webhook_field_ids": [[6, 0, chosen]],
            "usage": "base_automation",
        }
        rule: dict[str, Any] = {
            "name": f"Tell of {MODELS[model]['label'].lower()}",
            "model_id": kinds[model],
            "trigger": "on_create_or_write",
            "trigger_field_ids": [[6, 0, [fields[model, name] for name in watched]]],
            "action_server_ids": [[0, 0, action]],
        }
        _records(txn, "base.automation").insert(rule)


CLASSES["base.automation"] = Automations
