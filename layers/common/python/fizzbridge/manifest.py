"""What a platform's folder says about its deployment, and the registry that lists the folders.

A manifest holds facts for the deployment only; behaviour lives in the adapter classes. Functions
never read it: infrastructure, the command line and the tests do.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fizzbridge.mistakes import explain, suggestion
from fizzbridge.model.entity import Kind
from fizzbridge.settings import Every


class RegistryError(Exception):
    """The registry or a manifest is wrong; ``mistakes`` has one line for each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)


class FunctionShape(_Frozen):
    """Size of one function. Lambda's memory also sets its share of CPU."""

    memory_mb: int = Field(default=512, ge=128, le=10240)
    timeout_s: int = Field(default=60, ge=1, le=900)


class Functions(_Frozen):
    """The functions a platform has; an absent table means the direction does not exist."""

    webhook: FunctionShape | None = None
    pull: FunctionShape | None = None
    target: FunctionShape | None = None


class WebhookRoute(_Frozen):
    """How a delivery reaches the webhook function."""

    path_token: bool = False
    """True for vendors that cannot sign: a long random token in the path is the proof."""
    farewell: bool = False
    """Whether a shop that leaves for good says so, and everybody known by it is to be erased."""
    watched: Every | None = None
    """How often the platform's own list of webhooks is looked through; None where it has none, or
    where webhooks are set up by hand."""


class Entities(_Frozen):
    """Kinds the platform can report, and kinds it can hold."""

    source: tuple[Kind, ...] = ()
    target: tuple[Kind, ...] = ()


class SecretKeys(_Frozen):
    """Keys each secret of a connection may hold. Signing and API secrets are apart by design."""

    signing: tuple[str, ...] = ()
    api: tuple[str, ...] = ()


class Stream(_Frozen):
    """Something the pull function can poll, and how often it should when nobody says otherwise."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    every: Every


SOURCE_MAPS = {
    "sku": "a code of the source's, to ours",
    "account": "a company's id there, to the key of its account at the ERP",
    "location": "a place of its stock, to the owner's",
    "pricelist": "a price list of its own, to the owner's",
}
"""Maps the runtime reads of every connection that tells of orders or of what is sold."""


class Quality(_Frozen):
    """Where the adapter stands on the quality scale, and how it was tried."""

    tier: Literal["bronze", "silver", "gold"]
    tried: Literal["documented", "account"]
    exempt: Mapping[str, str] = Field(default_factory=dict)


class End(_Frozen):
    """A day from which the vendor takes something of this API away."""

    on: date
    """The first day it may happen."""
    what: str
    """What ends, and what to do about it."""


class Manifest(_Frozen):
    """One platform's ``manifest.toml``."""

    name: str
    api: str
    docs: str = Field(pattern=r"^https://")
    functions: Functions
    webhook: WebhookRoute = WebhookRoute()
    entities: Entities
    secrets: SecretKeys = SecretKeys()
    streams: tuple[Stream, ...] = ()
    maps: Mapping[str, str] = Field(default_factory=dict)
    """Maps its adapter reads, each with what is mapped to what."""
    rechecked: Every | None = None
    """How often known orders are looked for among the platform's own; None where it tells of every
    deletion, or has none."""
    own_records: bool = False
    """Whether its deliveries are the bridge's own records, as ``runtime.canary`` sends them."""
    ends: tuple[End, ...] = ()
    """What the vendor has said it will take away. The last is the end of the API; those before it
    narrow who may use it."""
    quality: Quality

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        has = self.functions
        if self.streams and not has.pull:
            raise ValueError("streams need a pull function to poll them: add [functions.pull]")
        if has.webhook and not self.secrets.signing:
            raise ValueError("a webhook function needs secrets.signing, or anybody could call it")
        if (has.pull or has.target) and not self.secrets.api:
            raise ValueError("pull and target functions call the vendor: name keys in secrets.api")
        if bool(self.entities.target) != bool(has.target):
            raise ValueError("entities.target and [functions.target] come together or not at all")
        return self

    @property
    def every_map(self) -> Mapping[str, str]:
        """Its adapter's maps, and the runtime's own of what it tells."""
        return (SOURCE_MAPS if self.entities.source else {}) | dict(self.maps)

    @property
    def is_booked(self) -> bool:
        """Whether orders of others are booked there, with their buyers; a shop only has its own."""
        return {Kind.ORDER, Kind.CUSTOMER} <= {*self.entities.target}

    def stream(self, name: str) -> Stream | None:
        """Return the stream of that name."""
        return next((stream for stream in self.streams if stream.name == name), None)


def load_registry(root: Path) -> dict[str, Manifest]:
    """Read ``functions/registry.toml`` and the manifest of every platform it switches on.

    Args:
        root: Top folder of the project.

    Raises:
        RegistryError: Something is wrong; every mistake found is listed.
    """
    registry = root / "functions" / "registry.toml"
    platforms = root / "functions" / "platforms"
    mistakes: list[str] = []
    manifests: dict[str, Manifest] = {}
    for slug, enabled in _read(registry, "registry.toml", mistakes).items():
        if not isinstance(enabled, bool):
            mistakes.append(f"registry.toml: {slug} must be true or false")
        elif enabled:
            manifest = _manifest(platforms, slug, mistakes)
            if manifest:
                manifests[slug] = manifest
    if mistakes:
        raise RegistryError(mistakes)
    return manifests


def _manifest(platforms: Path, slug: str, mistakes: list[str]) -> Manifest | None:
    path = platforms / slug / "manifest.toml"
    if not path.is_file():
        folders = [found.parent.name for found in platforms.glob("*/manifest.toml")]
        near = suggestion(slug, folders)
        mistakes.append(f"registry.toml: {slug} has no platforms/{slug}/manifest.toml{near}")
        return None
    label = f"platforms/{slug}/manifest.toml"
    before = len(mistakes)
    data = _read(path, label, mistakes)
    if len(mistakes) > before:
        return None
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        mistakes.extend(f"{label}: {line}" for line in explain(error, Manifest, data))
        return None


def _read(path: Path, label: str, mistakes: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        mistakes.append(f"{label}: the file is missing")
    except tomllib.TOMLDecodeError as error:
        mistakes.append(f"{label}: not valid TOML: {error}")
    return {}
