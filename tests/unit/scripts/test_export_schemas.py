from __future__ import annotations

import json

import pytest

from fizzbridge.model.events import DetailType
from scripts.export_schemas import FOLDER, differences, schemas, write

SCHEMAS = schemas()


def test_the_schemas_are_as_the_models_say():
    assert differences(FOLDER) == [], "make schemas"


def test_every_detail_type_and_every_part_has_one():
    names = set(SCHEMAS)
    assert {f"{detail_type}.v1.json" for detail_type in DetailType} <= names
    assert {"parts/OrderRequest.v1.json", "parts/StockLevel.v1.json"} <= names


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_closed_and_knows_no_float(name):
    schema = json.loads(SCHEMAS[name])
    assert schema["additionalProperties"] is False
    assert '"type": "number"' not in SCHEMAS[name]


def test_drift_is_named(tmp_path):
    write(tmp_path)
    assert differences(tmp_path) == []
    (tmp_path / "OrderPlaced.v1.json").write_text("{}")
    (tmp_path / "OrderHeld.v1.json").unlink()
    (tmp_path / "OrderEaten.v1.json").write_text("{}")
    assert set(differences(tmp_path)) == {
        "OrderPlaced.v1.json: stale",
        "OrderHeld.v1.json: missing",
        "OrderEaten.v1.json: belongs to no model",
    }
    write(tmp_path)
    assert differences(tmp_path) == []
