"""Deploys the app to the emulator with the ordinary CDK command line, then what it cannot do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from fizzbridge.model.events import SOURCE_PREFIX
from fizzbridge.settings import LOCAL_STAGE
from infra.local.progress import step
from infra.local.state import LocalState, folder
from infra.stage import ARCHIVE_DAYS, TTL_ATTRIBUTE

_CORE = f"fizzbridge-{LOCAL_STAGE}-core"


class DeployError(Exception):
    """A step of the deployment failed; the message is for people."""


def client(state: LocalState, service: str) -> Any:
    """Return a boto3 client of the emulator with the administrator's rights."""
    environment = state.environment()
    make: Any = boto3.client  # the service is a variable, which the typed overloads refuse
    return make(
        service,
        endpoint_url=state.endpoint,
        region_name=state.region,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 2}, read_timeout=30),
    )


def deploy(root: Path, state: LocalState, bridge_file: Path) -> None:
    """Synthesise and deploy all stacks, and finish what the emulator's CloudFormation leaves out.

    Raises:
        DeployError: A step failed.
    """
    with step("synthesise the stacks"):
        assembly = _synth(root, bridge_file)
    with step("deploy the stacks"):
        _asset_bucket(state)
        _cdk_deploy(root, state, assembly)
    with step("switch on what the emulator's CloudFormation leaves out"):
        outputs = stack_outputs(state, _CORE)
        _time_to_live(state, outputs["TableName"])
        _archive(state, outputs["BusName"])
    # The host name the emulator's own outputs use resolves in few clients; this address in all.
    state.api = f"{state.endpoint}/_aws/execute-api/{outputs['ApiId']}/$default"


def stack_outputs(state: LocalState, stack: str) -> dict[str, str]:
    """Return a stack's outputs by name."""
    found = client(state, "cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _synth(root: Path, bridge_file: Path) -> Path:
    assembly = folder(root) / "cdk.out"
    context = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    context |= {"stage": LOCAL_STAGE, "bridge": str(bridge_file)}
    environment = _environment(root) | {
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(assembly),
        # Findings about the template are the AWS stage's business and cost seconds here.
        "CDK_VALIDATION": "false",
    }
    # Without compiled files every import of the CDK library takes seconds.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    _run([sys.executable, "-m", "infra.app"], root, environment, "The synth failed")
    return assembly


def _cdk_deploy(root: Path, state: LocalState, assembly: Path) -> None:
    environment = _environment(root) | state.environment()
    command = [
        *(str(root / "node_modules" / ".bin" / "cdk"), "deploy", "--all"),
        *("--app", str(assembly), "--output", str(folder(root) / "cdk.out-deploy")),
        *("--require-approval", "never", "--concurrency", "4", "--method", "direct"),
        *("--no-version-reporting", "--no-notices", "--ci", "--progress", "events"),
    ]
    _run(command, root, environment, "The deployment failed")


def _environment(root: Path) -> dict[str, str]:
    """Return the environment for CDK tools, with the project's own Node.js first."""
    node = root / ".venv-node" / "bin"
    path = os.environ.get("PATH", os.defpath)
    if not (node / "node").exists() and not shutil.which("node"):
        raise DeployError("Node.js is missing: run `make up`, which installs it")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{node}{os.pathsep}{path}",
        "PYTHONPATH": os.pathsep.join((str(root / "layers/common/python"), str(root))),
    }


def _run(command: list[str], root: Path, environment: dict[str, str], failure: str) -> None:
    done = subprocess.run(
        command, cwd=root, env=environment, check=False, capture_output=True, text=True
    )
    (folder(root) / "deploy.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise DeployError(
            f"{failure}; the whole output is in {folder(root) / 'deploy.log'}:\n{tail}"
        )


def _asset_bucket(state: LocalState) -> None:
    name = f"cdk-hnb659fds-assets-{state.account}-{state.region}"
    buckets = client(state, "s3")
    if name not in {bucket["Name"] for bucket in buckets.list_buckets()["Buckets"]}:
        buckets.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": state.region}
        )


def _time_to_live(state: LocalState, table: str) -> None:
    tables = client(state, "dynamodb")
    found = tables.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") != "ENABLED":
        tables.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
        )


def _archive(state: LocalState, bus: str) -> None:
    events = client(state, "events")
    name = bus.removesuffix("bus") + "archive"
    if name in {archive["ArchiveName"] for archive in events.list_archives()["Archives"]}:
        return
    arn = events.describe_event_bus(Name=bus)["Arn"]
    events.create_archive(
        ArchiveName=name,
        EventSourceArn=arn,
        EventPattern=json.dumps({"source": [{"prefix": SOURCE_PREFIX}]}),
        RetentionDays=ARCHIVE_DAYS,
    )
