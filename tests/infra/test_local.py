"""The local stack's own parts: processes are ended by their own id only, metrics are copied."""

import json
import os
import socket
import subprocess
import sys

import pytest

from fizzbridge.settings import SandboxProcess
from infra.local import processes, sandboxes
from infra.local.metrics import embedded
from infra.local.state import LocalState, forget

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_process_is_ended_by_its_id_and_what_it_runs(tmp_path):
    log = tmp_path / "sleep.log"
    pid = processes.start(SLEEP, log=log, cwd=tmp_path, environment=os.environ)
    processes.stop(pid, "something else", seconds=1)
    assert processes.is_running(pid), "an id that now belongs to another program is left alone"
    processes.stop(pid, "time.sleep", seconds=5)
    assert not processes.is_running(pid)


def test_a_process_that_ends_at_once_is_told_with_its_last_words(tmp_path):
    log = tmp_path / "broken.log"
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    pid = processes.start(command, log=log, cwd=tmp_path, environment=os.environ)
    with pytest.raises(processes.NotReadyError, match="no such port"):
        processes.wait_until(lambda: False, pid=pid, log=log, seconds=10)


def test_a_sandbox_never_shares_a_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = SandboxProcess(platform="acme", port=taken.getsockname()[1])
        with pytest.raises(processes.NotReadyError, match="taken by another process"):
            sandboxes.start(tmp_path, wanted, tmp_path)


def test_each_of_two_shops_has_its_sandbox():
    shops = [SandboxProcess(platform="acme", port=port) for port in (4601, 4603)]
    assert sandboxes.named(shops) == {"acme": shops[0], "acme-4603": shops[1]}


def test_state_is_kept_beside_the_project_or_where_told(tmp_path, monkeypatch):
    state = LocalState(endpoint="http://127.0.0.1:1", pids={"emulator": 1})
    state.save(tmp_path)
    assert LocalState.load(tmp_path) == state
    assert (tmp_path / ".local" / "credentials.env").read_text().startswith("AWS_ACCESS_KEY_ID=")
    monkeypatch.setenv("FIZZBRIDGE_LOCAL", str(tmp_path / "elsewhere"))
    assert LocalState.load(tmp_path) is None
    monkeypatch.delenv("FIZZBRIDGE_LOCAL")
    forget(tmp_path)
    assert LocalState.load(tmp_path) is None


def test_each_embedded_figure_becomes_a_datum():
    line = {
        "_aws": {
            "Timestamp": 1_795_000_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "fizzbridge",
                    "Dimensions": [["connection"]],
                    "Metrics": [{"Name": "merged", "Unit": "Count"}, {"Name": "age_ms"}],
                }
            ],
        },
        "connection": "erp",
        "merged": [1, 1],
        "age_ms": 12.5,
    }
    figures = [(namespace, datum) for namespace, datum in embedded(json.dumps(line))]
    assert {namespace for namespace, _ in figures} == {"fizzbridge"}
    assert [(d["MetricName"], d["Values"], d["Unit"]) for _, d in figures] == [
        ("merged", [1, 1], "Count"),
        ("age_ms", [12.5], "None"),
    ]
    assert figures[0][1]["Dimensions"] == [{"Name": "connection", "Value": "erp"}]


@pytest.mark.parametrize("message", ["not json", '{"_aws": 1}', "{}", "[]"])
def test_lines_that_embed_nothing_are_passed_over(message):
    assert list(embedded(message)) == []


def test_the_local_commands_start_without_the_cdk_library():
    # `down` must work, and at once, where Node.js is missing.
    code = "import sys, infra.local.__main__; sys.exit('aws_cdk' in sys.modules)"
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0
