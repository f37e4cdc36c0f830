"""Ask a target's function something and wait for its answer: it has the vendor's credentials."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from cli.stack import CommandError, Stack
from fizzbridge.runtime import rows
from fizzbridge.runtime.asked import answer_sk, read_answer

LOOK_S = 0.5
PATIENCE_S = 120.0


def ask(stack: Stack, connection: str, question: str, **about: str) -> dict[str, Any]:
    """Ask, and wait for the answer; it goes by itself after a while.

    Args:
        stack: the stack.
        connection: the target.
        question: ``plan``, ``check`` or ``suggest``.
        about: what else the question says.

    Raises:
        CommandError: the connection is no target, does not answer, or says why it cannot.
    """
    queue = stack.target(connection)["DocumentsQueueUrl"]
    asked = uuid.uuid4().hex[:8]
    body = {"type": question, "asked": asked} | about
    stack.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    pk, sk = rows.connection_pk(connection), answer_sk(asked)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        row = stack.table.get(pk, sk)
        if row:
            answer = read_answer(row)
            if "error" in answer:
                raise CommandError(f"{connection}: {answer['error']}")
            return answer
        time.sleep(LOOK_S)
    raise CommandError(
        f"{connection} has not answered in two minutes. Is it paused or behind? fizzbridge status"
    )
