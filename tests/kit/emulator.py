"""The local AWS emulator and a fault proxy as child processes, and a state table on them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fizzbridge.state.table import INDEXES

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
EMULATOR = ROOT / ".venv-emulator" / "bin" / "ministack"
FAULT_PROXY = Path(sys.executable).parent / "microburst"
START_LIMIT_S = 30.0


SERVERS = range(20_000, 32_000)
"""Below the ports a system gives to clients: one of those may be taken before a server starts."""


def free_port() -> int:
    """A port of the loopback that nothing listens on at this moment."""
    while True:
        port = secrets.choice(SERVERS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def emulator_missing() -> bool:
    """Whether the emulator's own environment has not been installed."""
    return shutil.which(str(EMULATOR)) is None


@contextmanager
def emulator(log: Path) -> Iterator[str]:
    """Runs the emulator; yields its address."""
    port = free_port()
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    address = f"http://127.0.0.1:{port}"
    with _child([str(EMULATOR)], log, settings) as child:
        _await_answer(child, f"{address}/_ministack/health", log)
        yield address


@contextmanager
def fault_proxy(upstream: str, log: Path) -> Iterator[str]:
    """Runs the fault proxy in front of the emulator; yields its address."""
    port = free_port()
    command = [str(FAULT_PROXY), "--upstream", upstream, "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with _child(command, log, {}) as child:
        _await_answer(child, f"{address}/_microburst/fired", log)
        yield address


@contextmanager
def serve(platform: str, seed: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Runs a platform's sandbox; yields its address."""
    port, file = free_port(), folder / "seed.json"
    file.write_text(json.dumps(seed))
    command = [sys.executable, "-m", "sandbox", platform, "--port", str(port), "--seed", str(file)]
    address, log = f"http://127.0.0.1:{port}", folder / "sandbox.log"
    with _child(command, log, {"PYTHONPATH": str(ROOT / "functions")}) as child:
        _await_answer(child, f"{address}/_sandbox/accepted", log)
        yield address


def create_table(client: DynamoDBClient) -> str:
    """Creates an empty state table under a new name."""
    name = f"state-{uuid.uuid4().hex}"
    attributes = {"pk", "sk", *(attr for pair in INDEXES.values() for attr in pair)}
    schema: Any = client
    schema.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attr, "AttributeType": "S"} for attr in sorted(attributes)
        ],
        KeySchema=_key_schema(("pk", "sk")),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": _key_schema(pair),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index, pair in INDEXES.items()
        ],
    )
    client.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )
    return name


def _key_schema(pair: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": attr, "KeyType": kind}
        for attr, kind in zip(pair, ("HASH", "RANGE"), strict=True)
    ]


@contextmanager
def _child(command: list[str], log: Path, settings: dict[str, str]) -> Iterator[Any]:
    # Without AWS_*: the child must not inherit an endpoint or a profile of ours.
    own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603  # a fixed command
            command, env=own | settings, stdout=output, stderr=subprocess.STDOUT
        ) as child,
    ):
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def _await_answer(child: Any, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  # our own child
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
