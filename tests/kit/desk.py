"""The worker of the house's one target, with everything it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.model.entity import Kind
from fizzbridge.observability import Metrics
from fizzbridge.runtime.batch import Again, Message
from fizzbridge.runtime.breaker import Breaker, State, read
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.wiring import Ports
from fizzbridge.runtime.worker import build
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from tests.kit.house import House, order_ref

SETTINGS = FunctionSettings(
    stage="local", table="t", bucket="b", bus="b", connection="erp", dlq="dlq", api_secret="erp/api"
)


API = '{"key": "k"}'


class Desk:
    """A house whose target is served by the worker, message by message."""

    def __init__(self, secret: str | None = API, dlq: str | None = "dlq") -> None:
        self.house = house = House()

        class Ledger(TargetAdapter):
            platform = "memory"
            errors = ErrorRules()
            entities = {Kind.ORDER: house.orders, Kind.CUSTOMER: house.customers}  # noqa: RUF012  # read only
            search_lag = timedelta(seconds=5)
            longest_transaction = timedelta(seconds=60)

            def auth(self, secret: Mapping[str, Any], connection: Any) -> HeaderToken:
                return HeaderToken("X-Key", secret["key"])

        secrets = {"erp/api": secret} if secret else {}
        self.lines: list[str] = []
        self.metrics = Metrics(write=self.lines.append, clock=lambda: 0.0)
        self.ports = Ports(
            settings=SETTINGS.model_copy(update={"dlq": dlq}),
            bridge=house.bridge,
            table=house.rows,
            objects=house.objects,
            queue=house.queue,
            secrets=SecretStore(secrets.__getitem__, house.clock),
        )
        self.adapter = Ledger()
        self.worker = build(self.adapter, self.ports, self.metrics, house.clock)

    def placed(self, number: int = 1, **changes) -> Desk:
        self.house.place(number, **changes)
        self.assess()
        return self

    def assess(self) -> None:
        """Assess whatever moved; what is meant for the target is left to `work`."""
        while self.house.messages:
            to, event = self.house.messages.popleft()
            if to == "assess":
                self.house.handle(to, event)

    def work(
        self,
        entity=None,
        receives: int = 1,
        event_id: str = "e1",
        detail_type: str = "OrderPlaced",
    ) -> Again | None:
        entity = entity or order_ref()
        detail = {"kind": str(entity.kind), "key": entity.key, "event_id": event_id}
        body = {"detail-type": detail_type, "detail": detail}
        return self.worker.work(Message("m1", body, receives))

    def counted(self) -> dict[str, list[int]]:
        self.metrics.flush()
        found: dict[str, list[int]] = {}
        for line in self.lines:
            for name, values in json.loads(line).items():
                if name not in {"_aws", "connection"}:
                    found.setdefault(name, []).extend(values)
        return found

    def breaker(self) -> State:
        return read(self.house.rows, "erp")

    def mend(self) -> None:
        """The vendor answers again, and a probe finds it out."""
        breaker = Breaker(self.house.rows, "erp", self.house.clock)
        breaker.resume()
        breaker.probe()
        breaker.heard(None)

    def slots(self) -> dict:
        return self.house.rows.get("CONNECTION#erp", "SLOTS") or {}
