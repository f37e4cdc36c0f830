"""Write the support matrix into README.md, from the registry, the manifests and the adapters.

``--check`` writes nothing and fails where it is stale.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from fizzbridge.manifest import Manifest, load_registry
from scripts.generated import ROOT, section, table, write_or_check

README = ROOT / "README.md"
TRIED = {"documented": "the vendor's documentation", "account": "an account"}
_COLUMNS = ("platform", "as", "entities", "how", "proof and keys", "tier", "tried against", "lines")


def rows(slug: str, manifest: Manifest) -> Iterator[tuple[str, ...]]:
    """A row for each direction a platform has."""
    folder = ROOT / "functions" / "platforms" / slug
    has_readme = (folder / "README.md").is_file()
    name = f"[{manifest.name}](functions/platforms/{slug}/README.md)" if has_readme else None
    quality = manifest.quality
    about = (quality.tier, TRIED[quality.tried], lines(folder))
    for direction, kinds, how, proof in (
        ("source", manifest.entities.source, _read(manifest), _proof(slug, manifest)),
        ("target", manifest.entities.target, "find, create, update, cancel", _keys(manifest)),
    ):
        if kinds:
            platform = f"{name or manifest.name}, {manifest.api}"
            yield (platform, direction, ", ".join(kinds), how, proof, *about)


def _read(manifest: Manifest) -> str:
    polls = ", ".join(f"{stream.name} every {stream.every}" for stream in manifest.streams)
    ways = ["webhook"] if manifest.functions.webhook else []
    ways = ["webhook that `connect` registers"] if manifest.webhook.watched else ways
    ways += [f"poll ({polls})"] if polls else []
    return ", ".join(ways)


def _proof(slug: str, manifest: Manifest) -> str:
    ways = []
    if manifest.functions.webhook:
        webhook = importlib.import_module(f"platforms.{slug}.webhook").handler.adapter
        ways.append(webhook.signature.scheme)
    return "; ".join([*ways, _keys(manifest)])


def _keys(manifest: Manifest) -> str:
    return ", ".join(f"`{key}`" for key in manifest.secrets.api)


def lines(folder: Path) -> str:
    """About how much code an adapter is, its sandbox apart: lines that are not empty, in tens."""
    code = [path for path in folder.glob("*.py") if not path.name.startswith("sandbox")]
    found = sum(bool(line.strip()) for path in code for line in path.read_text("utf-8").split("\n"))
    return f"{round(found, -1)}"


def matrix() -> str:
    """The matrix, a row for each platform and direction."""
    found = load_registry(ROOT).items()
    return table(
        _COLUMNS, (row for slug, manifest in sorted(found) for row in rows(slug, manifest))
    )


def files() -> dict[Path, str]:
    """The README as it should be."""
    text = README.read_text(encoding="utf-8")
    return {README: section(text, "support matrix", matrix())}


if __name__ == "__main__":
    write_or_check(files(), __doc__ or "")
