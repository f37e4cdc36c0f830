"""What is uploaded: function code, and the three layers every function has.

Each function's asset holds its own package and nothing else of ``functions/``, so that an edit in
one adapter changes that adapter's hash alone. Third-party code comes from the locked dependencies
layer only. What is built is kept under ``build/`` by the hash of what it was made from.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

from fizzbridge.settings import CONFIG_PACKAGE
from infra.wheels import Wheels

# Zip files carry times; a fixed one keeps the hash of equal content equal.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Assets:
    """Makes the assets of one deployment."""

    root: Path
    wheels: Wheels
    config: Mapping[str, bytes]
    """The compiled bridge, by file name."""

    def code(self, package: str) -> lambda_.AssetCode:
        """Return the code of one function package, for example ``platforms/acme``."""
        parent, own = package.split("/")
        return lambda_.Code.from_asset(
            str(self.root / "functions"),
            ignore_mode=IgnoreMode.GIT,
            exclude=[
                "/*",
                f"!/{parent}",
                f"/{parent}/*",
                f"!/{parent}/__init__.py",
                f"!/{parent}/{own}",
                # What is installed in the shop is no part of a function.
                f"/{parent}/{own}/*/",
                "sandbox*",
                "manifest.toml",
                "*.md",
                "*.pyc",
                "__pycache__",
            ],
        )

    def common(self) -> lambda_.AssetCode:
        """Return the layer with the shared package."""
        return lambda_.Code.from_asset(
            str(self.root / "layers" / "common"),
            ignore_mode=IgnoreMode.GIT,
            exclude=["*.pyc", "__pycache__"],
        )

    def configuration(self) -> lambda_.AssetCode:
        """Return the layer with the compiled bridge."""
        digest = hashlib.sha256()
        for name, content in sorted(self.config.items()):
            digest.update(f"{name}:{len(content)}:".encode() + content)
        folder = self.root / "build" / "config" / digest.hexdigest()[:16]
        package = folder / "python" / CONFIG_PACKAGE
        package.mkdir(parents=True, exist_ok=True)
        for name, content in self.config.items():
            # Several synths may run at once; a rename never shows a half-written file.
            part = package / f".{name}.{os.getpid()}"
            part.write_bytes(content)
            part.replace(package / name)
        return lambda_.Code.from_asset(str(folder), exclude=[".*"])

    def dependencies(self) -> lambda_.AssetCode:
        """Return the layer with the locked third-party packages, built if need be."""
        return lambda_.Code.from_asset(str(self.dependencies_zip()))

    def dependencies_zip(self) -> Path:
        """Build the dependencies layer unless the same lock was built for the same target."""
        lock = self.root / "layers" / "dependencies" / "requirements.lock"
        key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
        name = f"{self.wheels.platform or sys.platform}-{self.wheels.python}-{key}.zip"
        target = self.root / "build" / "dependencies" / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as work:
                packages = Path(work) / "python"
                _install(self.wheels, lock, packages)
                part = Path(work) / name
                _zip(packages, part)
                part.replace(target)
        return target


def _install(wheels: Wheels, lock: Path, packages: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv) if uv.exists() else shutil.which("uv") or "uv", "pip", "install", "--quiet"]
    command += ["--target", str(packages), "--python-version", wheels.python]
    command += ["--python-platform", wheels.platform] if wheels.platform else []
    command += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock)]
    environment = os.environ | {"UV_SYSTEM_CERTS": "1"}
    subprocess.run(command, check=True, env=environment)  # noqa: S603  our own arguments


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder.parent)
            if path.is_file() and not {"__pycache__", "bin"} & set(inside.parts):
                entry = zipfile.ZipInfo(inside.as_posix(), _EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
