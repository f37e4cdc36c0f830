"""Write the JSON Schemas of events, canonical parts and plain records to ``events/schemas``.

``--check`` writes nothing and fails where a file is missing, stale or left over.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fizzbridge.model.events import EVENT_MODELS, SCHEMA_VERSION
from fizzbridge.runtime.rows import SCHEMA
from fizzbridge.runtime.view import BODIES
from platforms.standard import wire

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "events" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """The text of every schema by its path below the folder."""
    events = {
        f"{detail_type}.v{SCHEMA_VERSION}.json": text(model, str(detail_type))
        for detail_type, model in EVENT_MODELS.items()
    }
    parts = {
        f"parts/{model.__name__}.v{SCHEMA}.json": text(model, model.__name__)
        for model in BODIES.values()
    }
    records = {
        f"records/{model.__name__}.v{SCHEMA}.json": written(wire.schema(model), model.__name__)
        for model in wire.RECORDS.values()
    }
    return dict(sorted((events | parts | records).items()))


def text(model: type[BaseModel], title: str) -> str:
    """One model's schema: of what we write, where a decimal is a text."""
    return written(model.model_json_schema(mode="serialization"), title)


def written(schema: Mapping[str, Any], title: str) -> str:
    """The text of a schema."""
    named = {"$schema": DIALECT, **schema, "title": title}
    return json.dumps(named, indent=2, sort_keys=True) + "\n"


def differences(folder: Path) -> list[str]:
    """What is not as it should be in a folder, a line for each file."""
    wanted = schemas()
    found = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.json")
    }
    return [
        *(f"{name}: missing" for name in wanted.keys() - found.keys()),
        *(f"{name}: belongs to no model" for name in found.keys() - wanted.keys()),
        *(f"{name}: stale" for name in wanted.keys() & found if wanted[name] != found[name]),
    ]


def write(folder: Path) -> None:
    """Write every schema, and remove what belongs to no model any more."""
    wanted = schemas()
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--check", action="store_true", help="only compare, and fail on a difference"
    )
    if not parser.parse_args().check:
        write(FOLDER)
        print(f"{len(schemas())} schemas in {FOLDER.relative_to(ROOT)}")
    elif found := differences(FOLDER):
        sys.exit("\n".join([*sorted(found), "make schemas writes them anew"]))


if __name__ == "__main__":
    main()
