"""The local stage differs from AWS in what ``DIFFERENCES`` names, and in nothing else."""

import dataclasses

from infra.local.differences import DIFFERENCES, UNSEEN, local_stage
from infra.stage import Stage
from tests.infra.synthesis import ROOT

# Names carry the stage; that is what a stage is.
IGNORED_SECTIONS = {"Outputs", "Description"}


def spelt(template: dict, stage: str) -> dict:
    """Return resources and other sections by name, with the stage's own name levelled out."""
    found = {name: part for name, part in template.items() if name not in IGNORED_SECTIONS}
    return level(found | found.pop("Resources"), stage)


def level(value: object, stage: str) -> object:
    if isinstance(value, dict):
        return {level(key, stage): level(item, stage) for key, item in value.items()}
    if isinstance(value, list):
        return [level(item, stage) for item in value]
    if value == stage:
        return "STAGE"
    if isinstance(value, str):
        return value.replace(f"fizzbridge-{stage}", "fizzbridge-STAGE").replace(
            f"/fizzbridge/{stage}/", "/fizzbridge/STAGE/"
        )
    return value


def differing(aws: dict, local: dict) -> set[str]:
    """Return the paths at which two levelled templates differ."""
    found = set()
    for name in aws.keys() | local.keys():
        one, other = aws.get(name), local.get(name)
        if one == other:
            continue
        if name in {"Parameters", "Rules"}:
            found.add(f"{name}/*")
        elif one is None or other is None:
            found.add(f"{(one or other)['Type']}/*")
        else:
            found |= {f"{one['Type']}/{path}" for path in _inside(one, other)}
    return found


def _inside(one: dict, other: dict) -> set[str]:
    outer = {
        key
        for key in (one.keys() | other.keys()) - {"Properties", "Metadata"}
        if one.get(key) != other.get(key)
    }
    first, second = one.get("Properties", {}), other.get("Properties", {})
    return outer | {
        key for key in first.keys() | second.keys() if first.get(key) != second.get(key)
    }


def test_templates_differ_only_as_listed(both_ways, local):
    pairs = [
        (stack.replace("-prod-", "-local-"), template)
        for stack, template in both_ways.templates.items()
    ]
    assert {name for name, _ in pairs} == set(local.templates)
    found = set()
    for name, template in pairs:
        found |= differing(spelt(template, "prod"), spelt(local.templates[name], "local"))
    listed = {path for difference in DIFFERENCES for path in difference.paths}
    assert found == listed


def test_every_field_of_a_stage_that_differs_has_a_reason():
    local, real = local_stage(ROOT), Stage("prod")
    differing_fields = {
        field.name
        for field in dataclasses.fields(Stage)
        if field.name != "name" and getattr(local, field.name) != getattr(real, field.name)
    }
    assert differing_fields == {difference.field for difference in DIFFERENCES}
    assert all(difference.reason and difference.instead for difference in DIFFERENCES)


def test_what_has_no_effect_locally_is_in_the_template(both_ways):
    for path in UNSEEN:
        kind, *steps = path.split("/")
        found = [resource["Properties"] for resource in both_ways.resources(kind).values()]
        for step in steps:
            found = [_step(value, step) for value in found]
        assert any(found), path


def _step(value: object, name: str) -> object:
    if isinstance(value, list):
        value = value[0] if value else {}
    return value.get(name, {}) if isinstance(value, dict) else {}
