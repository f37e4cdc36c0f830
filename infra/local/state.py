"""What the local stack remembers between commands, in ``.local/`` of the project."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

REGION = "eu-west-1"
ACCOUNT = "000000000000"
# The emulator lets this pair do everything, as an account's administrator; it opens nothing else.
ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def port() -> int:
    """Return the emulator's port: ``FIZZBRIDGE_PORT``, or the usual one."""
    return int(os.environ.get("FIZZBRIDGE_PORT", "4566"))


@dataclass
class LocalState:
    """The running local stack; ``.local/stack.json`` is read by the command line as well."""

    endpoint: str
    bridge: str = ""
    region: str = REGION
    account: str = ACCOUNT
    stage: str = "local"
    pids: dict[str, int] = field(default_factory=dict)
    sandboxes: dict[str, str] = field(default_factory=dict)
    api: str = ""

    @classmethod
    def load(cls, root: Path) -> Self | None:
        """Return what is remembered, or None if no stack was brought up."""
        path = folder(root) / "stack.json"
        if not path.exists():
            return None
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, root: Path) -> None:
        """Remember."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        (folder(root) / "stack.json").write_text(text, encoding="utf-8")
        lines = "".join(f"{name}={value}\n" for name, value in ADMINISTRATOR.items())
        (folder(root) / "credentials.env").write_text(lines, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """Return the variables that point the AWS tools at the emulator."""
        return {
            **ADMINISTRATOR,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def folder(root: Path) -> Path:
    """Return the local stack's folder, made if need be.

    ``FIZZBRIDGE_LOCAL`` moves it, so that tests can have a stack beside a developer's own.
    """
    path = root / os.environ.get("FIZZBRIDGE_LOCAL", ".local")
    path.mkdir(parents=True, exist_ok=True)
    return path


def forget(root: Path) -> None:
    """Forget the stack."""
    (folder(root) / "stack.json").unlink(missing_ok=True)
