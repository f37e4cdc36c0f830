"""The AWS emulator as a process: MiniStack on the loopback address, with permissions checked."""

import os
import urllib.error
import urllib.request
from pathlib import Path

from infra.local import processes
from infra.local.differences import emulator_python
from infra.local.state import ADMINISTRATOR, REGION, folder

_MODULE = "ministack"


def start(root: Path, port: int) -> int:
    """Start the emulator, wait until it answers, and return its process id."""
    log = folder(root) / "emulator.log"
    log.unlink(missing_ok=True)
    pid = processes.start(
        [str(emulator_python(root)), "-m", _MODULE],
        log=log,
        cwd=folder(root),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder(root)),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            # Functions run under their own roles, so a missing right shows here.
            "AUTH": "true",
            "PERSIST_STATE": "0",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PYTHONDONTWRITEBYTECODE": "",
            **ADMINISTRATOR,
        },
    )
    processes.wait_until(lambda: is_healthy(port), pid=pid, log=log, seconds=30)
    return pid


def stop(pid: int) -> None:
    """Stop the emulator; its state goes with it."""
    processes.stop(pid, _MODULE)


def is_healthy(port: int) -> bool:
    """Return whether an emulator answers on the port."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/_ministack/health", timeout=1
        ) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
