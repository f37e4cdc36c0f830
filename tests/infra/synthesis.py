"""Synthesises bridges in this process, and the made-up platform they are tested with."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from aws_cdk import App

from infra.app import build, check
from infra.deployment import Deployment
from infra.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
FLEET = 25

ACME_MANIFEST = """
name = "Acme"
api = "v3"
docs = "https://acme.example/docs"
streams = [
    { name = "orders", every = "15 minutes" },
    { name = "stock", every = "1 hour" },
]
rechecked = "1 day"
own_records = true
[functions]
webhook = { memory_mb = 256, timeout_s = 5 }
pull = { memory_mb = 512, timeout_s = 60 }
target = { memory_mb = 512, timeout_s = 60 }
[webhook]
path_token = true
watched = "6 hours"
[entities]
source = ["Order", "Customer"]
target = ["Order", "StockLevel"]
[secrets]
signing = ["active"]
api = ["token"]
[quality]
tier = "bronze"
tried = "documented"
[[ends]]
on = 2031-01-01
what = "v3 stops; move to v4"
"""
COMPANY = """
[company]
name = "Bubbles Ltd"
country = "GB"
currency = "GBP"
time_zone = "Europe/London"
"""
CONNECTION = """
[[connections]]
name = "acme-{number}"
platform = "acme"
base_url = "https://acme-{number}.example"
start_at = 2026-11-01T00:00:00Z
roles = ["payment"]
"""
CANARY = """
[[connections]]
name = "canary"
platform = "acme"
base_url = "https://canary.example"
start_at = 2026-11-01T00:00:00Z
roles = ["order.request"]
[[routes]]
kinds = ["Order"]
from = ["canary"]
to = ["acme-1"]
[canary]
connection = "canary"
sku = "CANARY"
"""


@dataclass
class Synthesis:
    """What a synth wrote."""

    folder: Path
    seconds: float
    templates: dict[str, dict] = field(default_factory=dict)

    def resources(self, kind: str) -> dict[str, dict]:
        """Return all resources of a type by ``<stack>/<logical id>``."""
        return {
            f"{stack}/{name}": resource
            for stack, template in self.templates.items()
            for name, resource in template["Resources"].items()
            if resource["Type"] == kind
        }


def synthesise(
    folder: Path, bridge_file: Path, root: Path, stage: Stage, *, nag: bool = False
) -> Synthesis:
    start = time.monotonic()
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=str(folder), context=context, builtin_cloud_formation_validation=nag)
    build(app, Deployment.load(bridge_file, root, stage))
    if nag:
        check(app)
    app.synth()
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.template.json"))
    }
    return Synthesis(folder, time.monotonic() - start, templates)


def run_app(folder: Path, context: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the app as the CDK command line does, in an environment without credentials."""
    given = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"] | context
    paths = (ROOT / "layers/common/python", ROOT)
    return subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            # The CDK library unpacks itself below the home once; its credentials stay unread.
            "HOME": os.environ.get("HOME", str(folder)),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths),
            "CDK_OUTDIR": str(folder / "out"),
            "CDK_CONTEXT_JSON": json.dumps(given),
        },
        capture_output=True,
        text=True,
        check=False,
    )
