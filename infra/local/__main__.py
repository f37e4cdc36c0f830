"""``python -m infra.local up --bridge bridge.toml``, ``demo``, ``down``, ``metrics``."""

import argparse
import sys
import time
from pathlib import Path

from cli.stack import CommandError
from fizzbridge.settings import Bridge, BridgeFileError, load_bridge_file
from infra.local import emulator, metrics, sandboxes
from infra.local.demo import run as demo
from infra.local.deploy import DeployError, deploy
from infra.local.processes import NotReadyError, is_running
from infra.local.progress import console, failed, step
from infra.local.state import LocalState, forget, port

ROOT = Path(__file__).resolve().parents[2]


def up(bridge_file: Path) -> None:
    """Bring the whole stack up for a bridge file, or bring a running one up to date."""
    start = time.monotonic()
    bridge = load_bridge_file(bridge_file, ROOT)
    state = _emulator()
    state.bridge = str(bridge_file)
    _sandboxes(state, bridge, bridge_file.parent)
    state.save(ROOT)
    deploy(ROOT, state, bridge_file)
    state.save(ROOT)
    console.print(f"  up at {state.endpoint} [dim]{time.monotonic() - start:.1f} s[/]")


def down() -> None:
    """Stop what `up` started."""
    state = LocalState.load(ROOT)
    if state is None:
        console.print("  nothing is up")
        return
    for name, pid in state.pids.items():
        (emulator if name == "emulator" else sandboxes).stop(pid)
    forget(ROOT)
    console.print("  down")


def watch_metrics(interval_s: int) -> None:
    """Copy metrics from the logs and queues to CloudWatch until interrupted."""
    state = LocalState.load(ROOT)
    if state is None:
        console.print("  nothing is up")
        return
    metrics.watch(state, interval_s)


def _emulator() -> LocalState:
    state = LocalState.load(ROOT) or LocalState(endpoint=f"http://127.0.0.1:{port()}")
    pid = state.pids.get("emulator")
    if pid and is_running(pid) and emulator.is_healthy(port()):
        return state
    if emulator.is_healthy(port()):
        raise DeployError(
            f"Something else answers on port {port()}; stop it or set FIZZBRIDGE_PORT"
        )
    state = LocalState(endpoint=f"http://127.0.0.1:{port()}", pids=_others(state))
    with step("start the emulator"):
        state.pids["emulator"] = emulator.start(ROOT, port())
    state.save(ROOT)
    return state


def _others(state: LocalState) -> dict[str, int]:
    return {name: pid for name, pid in state.pids.items() if name != "emulator"}


def _sandboxes(state: LocalState, bridge: Bridge, folder: Path) -> None:
    """Start the bridge's sandboxes.

    One that runs goes on: the bridge knows what it holds, and a fresh one would use its ids again.
    """
    named = sandboxes.named(bridge.local.sandboxes)
    wanted = {name: f"http://127.0.0.1:{one.port}" for name, one in named.items()}
    for name, pid in _others(state).items():
        if wanted.get(name) != state.sandboxes.get(name) or not is_running(pid):
            sandboxes.stop(pid)
            del state.pids[name]
    for name, sandbox in named.items():
        if name not in state.pids:
            with step(f"start the {name} sandbox"):
                state.pids[name] = sandboxes.start(ROOT, sandbox, folder)
    state.sandboxes = wanted


def main() -> int:
    """Run one command; a failure is told in plain words."""
    parser = argparse.ArgumentParser(prog="python -m infra.local")
    commands = parser.add_subparsers(dest="command", required=True)
    bring_up = commands.add_parser("up", help="start the emulator and deploy")
    bring_up.add_argument("--bridge", type=Path, required=True)
    show = commands.add_parser("demo", help="have orders placed and watch them arrive")
    show.add_argument("--json", action="store_true", help="answer as JSON")
    commands.add_parser("down", help="stop everything")
    watch = commands.add_parser("metrics", help="copy metrics to CloudWatch")
    watch.add_argument("--interval", type=int, default=15)
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                up(arguments.bridge.resolve())
            case "demo":
                return demo.run(as_json=arguments.json)
            case "down":
                down()
            case _:
                watch_metrics(arguments.interval)
    except (BridgeFileError, CommandError, DeployError, demo.DemoError, NotReadyError) as error:
        failed.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
