"""The example bridge's templates, synthesised once in a session."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    # The CDK library takes seconds to import, which only those who ask for templates should wait.
    from infra.stage import Stage
    from tests.infra.synthesis import ROOT, synthesise

    folder = tmp_path_factory.mktemp("templates")
    return synthesise(folder, ROOT / "bridge.example.toml", ROOT, Stage("prod"))
