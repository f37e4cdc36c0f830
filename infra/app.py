"""The CDK application: ``cdk deploy --all -c stage=prod -c bridge=bridge.toml``."""

import sys
from pathlib import Path

from aws_cdk import App, CliCredentialsStackSynthesizer, Tags, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from fizzbridge.settings import LOCAL_STAGE, BridgeFileError
from infra.deployment import Deployment
from infra.local.differences import local_stage
from infra.stacks.connection import ConnectionStack
from infra.stacks.core import CoreStack
from infra.stage import Stage

ROOT = Path(__file__).resolve().parents[1]


def build(app: App, deployment: Deployment) -> None:
    """Make all stacks of a deployment in the app."""
    stage = deployment.stage
    core = CoreStack(app, deployment, **_options(stage))
    for connection in deployment.bridge.connections:
        ConnectionStack(app, deployment, connection, core.shared, **_options(stage))
    Tags.of(app).add("application", "fizzbridge")
    Tags.of(app).add("stage", stage.name)


def check(app: App) -> None:
    """Hold the app to the AwsSolutions and Serverless rule packs; any finding fails the synth."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def _options(stage: Stage) -> dict[str, object]:
    # One synthesizer belongs to one stack.
    return {} if stage.bootstrapped else {"synthesizer": CliCredentialsStackSynthesizer()}


def main() -> int:
    """Synthesise what the context asks for; a wrong bridge file is told line by line."""
    app = App()
    name = app.node.try_get_context("stage") or "prod"
    bridge_file = Path(app.node.try_get_context("bridge") or ROOT / "bridge.toml")
    try:
        stage = local_stage(ROOT) if name == LOCAL_STAGE else Stage(name)
        deployment = Deployment.load(bridge_file, ROOT, stage)
    except BridgeFileError as error:
        sys.stderr.write("\n".join(error.mistakes) + "\n")
        return 1
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    build(app, deployment)
    if stage.name != LOCAL_STAGE:
        check(app)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
