"""Background processes of the local stack: started with a log file, ended by their own id."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL_S = 0.05


class NotReadyError(Exception):
    """A process ended or did not become ready in time."""


def start(command: Sequence[str], *, log: Path, cwd: Path, environment: Mapping[str, str]) -> int:
    """Start a process that outlives this one, and return its id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives us, and Python would warn that nobody waited for it.
    process.returncode = 0
    return process.pid


def wait_until(ready: Callable[[], bool], *, pid: int, log: Path, seconds: float) -> None:
    """Wait until a process is ready.

    Raises:
        NotReadyError: It ended, or time ran out; the message has the end of its log.
    """
    until = time.monotonic() + seconds
    while not ready():
        if not is_running(pid):
            raise NotReadyError(f"{log.stem} ended at once:\n{_tail(log)}")
        if time.monotonic() > until:
            raise NotReadyError(f"{log.stem} is not ready after {seconds:.0f} s:\n{_tail(log)}")
        time.sleep(_POLL_S)


def is_running(pid: int) -> bool:
    """Return whether a process lives; an ended child of ours is reaped on the way."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop(pid: int, expected: str, *, seconds: float = 5) -> None:
    """End a process and what it started.

    Args:
        pid: Its id.
        expected: Part of its command line; an id that belongs to something else is left alone.
        seconds: How long to wait before it is killed.
    """
    if not is_running(pid) or expected not in _command_line(pid):
        return
    _signal_group(pid, signal.SIGTERM)
    until = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < until:
        time.sleep(_POLL_S)
    if is_running(pid):
        _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # Each process leads a session of its own, so its workers go with it.
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _command_line(pid: int) -> str:
    done = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return done.stdout


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
