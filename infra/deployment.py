"""Everything the stacks are made from: stage, bridge, manifests, assets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fizzbridge.bridge_file import read_catalogue, read_prices, read_schemes
from fizzbridge.manifest import Manifest, load_registry
from fizzbridge.settings import Bridge, Connection, compile_bridge, load_bridge_file
from infra.assets import Assets
from infra.stage import Stage


@dataclass(frozen=True)
class Deployment:
    """The facts one synth works from."""

    stage: Stage
    bridge: Bridge
    manifests: dict[str, Manifest]
    assets: Assets

    @classmethod
    def load(cls, bridge_file: Path, root: Path, stage: Stage) -> Self:
        """Read the bridge file and what it names.

        Raises:
            BridgeFileError: The file is wrong; every mistake found is listed.
        """
        bridge = load_bridge_file(bridge_file, root, stage=stage.name)
        folder = bridge_file.parent
        config = compile_bridge(
            bridge,
            read_catalogue(bridge, folder),
            read_schemes(bridge, folder),
            read_prices(bridge, folder),
        )
        return cls(stage, bridge, load_registry(root), Assets(root, stage.wheels, config))

    def manifest(self, connection: Connection) -> Manifest:
        """Return the manifest of the connection's platform."""
        return self.manifests[connection.platform]

    def polls(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Yield each stream to poll with its interval: the bridge's, else the manifest's."""
        wanted = {
            schedule.stream: schedule.every
            for schedule in self.bridge.schedules
            if schedule.connection == connection.name
        }
        for stream in self.manifest(connection).streams:
            yield stream.name, wanted.get(stream.name, stream.every)
