"""One connection: everything of it, and nothing of any other."""

from aws_cdk import Annotations, CfnOutput, Stack
from constructs import Construct

from fizzbridge.settings import Connection
from infra.constructs.alarms import Alarms
from infra.constructs.connection_parts import ConnectionParts, Shared, connection_secret
from infra.constructs.function import Layers
from infra.constructs.queues import dead_letter_queue
from infra.constructs.source_connection import SourceConnection
from infra.constructs.target_connection import TargetConnection
from infra.deployment import Deployment


class ConnectionStack(Stack):
    """The stack of one connection."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        connection: Connection,
        shared: Shared,
        **options: object,
    ) -> None:
        stage = deployment.stage
        super().__init__(
            scope,
            stage.resource(connection.name),
            description=f"fizzbridge {stage.name}: connection {connection.name}",
            **options,  # type: ignore[arg-type]  # the synthesizer, chosen by the stage
        )
        manifest = deployment.manifest(connection)
        functions = manifest.functions
        for end in manifest.ends:
            # Printed at every synth and deployment.
            Annotations.of(self).add_warning_v2(
                f"fizzbridge:end-{end.on}", f"{manifest.name}, from {end.on}: {end.what}"
            )
        dead_letters = dead_letter_queue(
            self, "DeadLetters", stage.resource(connection.name, "dlq"), stage
        )
        CfnOutput(self, "Platform", value=connection.platform)
        CfnOutput(self, "DlqUrl", value=dead_letters.queue_url)
        signing = (
            connection_secret(self, stage, connection.name, "signing")
            if manifest.secrets.signing
            else None
        )
        api = (
            connection_secret(self, stage, connection.name, "api") if manifest.secrets.api else None
        )
        for purpose, secret in (("signing", signing), ("api", api)):
            if secret:
                name = stage.secret(connection.name, purpose)
                CfnOutput(self, f"{purpose.capitalize()}SecretName", value=name)
        alarms = Alarms(self, shared.topic, stage, deployment.bridge)
        alarms.dead_letters("dlq", dead_letters)
        alarms.connection(connection)
        is_source = bool(functions.webhook or functions.pull)
        alarms.conservation(connection.name, is_source=is_source)
        parts = ConnectionParts(
            stage=stage,
            connection=connection,
            manifest=manifest,
            timing=deployment.bridge.timing,
            shared=shared,
            alarms=alarms,
            layers=Layers(self, deployment.assets),
            code=deployment.assets.code(f"platforms/{connection.platform}"),
            dead_letters=dead_letters,
            signing_secret=signing,
            api_secret=api,
        )
        if functions.webhook or functions.pull:
            SourceConnection(self, parts, list(deployment.polls(connection)))
        if functions.target:
            TargetConnection(self, parts, functions.target)
