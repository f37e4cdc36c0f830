from __future__ import annotations

from fizzbridge.manifest import load_registry
from scripts.export_webhooks import ROOT, adapter, description, files, path_of
from scripts.generated import stale

MANIFESTS = load_registry(ROOT)
SOURCES = {slug: one for slug, one in MANIFESTS.items() if one.functions.webhook}
DESCRIBED = description()


def test_the_description_is_as_the_adapters_say():
    assert stale(files()) == [], "make docs"


def test_every_webhook_function_has_its_path_and_nothing_else_has_one():
    assert set(DESCRIBED["paths"]) == {path_of(slug, one) for slug, one in SOURCES.items()}


def test_a_proof_is_one_of_the_adapters_headers():
    proofs = DESCRIBED["components"]["securitySchemes"]
    for slug, manifest in SOURCES.items():
        signature = adapter(slug).signature
        listed = DESCRIBED["paths"][path_of(slug, manifest)]["post"]["security"]
        assert [name for one in listed for name in one] == list(signature.headers)
        for name in signature.headers:
            assert signature.scheme in proofs[name]["description"].split("; ")


def test_who_cannot_sign_has_a_token_in_the_path():
    manifest = next(iter(SOURCES.values()))
    tokened = manifest.webhook.model_copy(update={"path_token": True})
    assert path_of("acme", manifest.model_copy(update={"webhook": tokened})) == (
        "/webhooks/acme/{token}"
    )
