"""The platforms' sandboxes as processes: what the local bridge's connections point at."""

import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from fizzbridge.settings import SandboxProcess
from infra.local import processes
from infra.local.state import folder

_MODULE = "sandbox"


def named(wanted: Iterable[SandboxProcess]) -> dict[str, SandboxProcess]:
    """Sandboxes by name: their platform's, and with the port where it has one already."""
    found: dict[str, SandboxProcess] = {}
    for one in wanted:
        name = f"{one.platform}-{one.port}" if one.platform in found else one.platform
        found[name] = one
    return found


def start(root: Path, sandbox: SandboxProcess, bridge_folder: Path) -> int:
    """Start one sandbox, wait until it listens, and return its process id."""
    if _listens(sandbox.port):
        # It would answer in the sandbox's place, with another seed and other secrets.
        raise processes.NotReadyError(
            f"Port {sandbox.port} of the {sandbox.platform} sandbox is taken by another process"
        )
    log = folder(root) / f"sandbox-{sandbox.platform}-{sandbox.port}.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", _MODULE, sandbox.platform, "--port", str(sandbox.port)]
    if sandbox.seed:
        command += ["--seed", str(bridge_folder / sandbox.seed)]
    paths = os.pathsep.join(str(root / part) for part in ("functions", ""))
    pid = processes.start(
        command, log=log, cwd=root, environment={**os.environ, "PYTHONPATH": paths}
    )
    processes.wait_until(lambda: _listens(sandbox.port), pid=pid, log=log, seconds=20)
    return pid


def stop(pid: int) -> None:
    """Stop a sandbox."""
    processes.stop(pid, _MODULE)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
