"""What the source and the target side of one connection share."""

from dataclasses import dataclass

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from fizzbridge.manifest import FunctionShape, Manifest
from fizzbridge.settings import Connection, Timing
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.function import BridgeFunction, FunctionFacts, Layers
from infra.stage import Stage


@dataclass(frozen=True)
class Shared:
    """What the core stack has and every function may name."""

    table: dynamodb.ITable
    bucket_name: str
    bus: events.IEventBus
    api: apigateway.IHttpApi
    undelivered: sqs.IQueue
    topic: sns.ITopic

    def environment(self) -> dict[str, str]:
        """Return the variables every function has."""
        return {
            "FIZZBRIDGE_TABLE": self.table.table_name,
            "FIZZBRIDGE_BUCKET": self.bucket_name,
            "FIZZBRIDGE_BUS": self.bus.event_bus_name,
        }


@dataclass(frozen=True)
class ConnectionParts:
    """One connection's facts, and the constructs both of its sides use."""

    stage: Stage
    connection: Connection
    manifest: Manifest
    timing: Timing
    shared: Shared
    alarms: Alarms
    layers: Layers
    code: lambda_.Code
    dead_letters: sqs.Queue
    signing_secret: secretsmanager.Secret | None
    api_secret: secretsmanager.Secret | None

    def name(self, part: str) -> str:
        """Name a resource of this connection."""
        return self.stage.resource(self.connection.name, part)

    def secret_name(self, purpose: str) -> str:
        """Name one of the connection's secrets."""
        return self.stage.secret(self.connection.name, purpose)

    def function(
        self,
        scope: Construct,
        role: str,
        shape: FunctionShape,
        *,
        ceiling_s: int,
        environment: dict[str, str],
        statements: list[iam.PolicyStatement],
    ) -> BridgeFunction:
        """Make one of the connection's functions.

        Args:
            scope: Where to make it.
            role: What it is to the connection: ``webhook``, ``pull`` or ``target``.
            shape: Its size in the manifest.
            ceiling_s: The bridge's timeout for it; the shorter of the two holds.
            environment: Variables beside those every function has.
            statements: What it may do.
        """
        facts = FunctionFacts(
            name=f"{self.connection.name}-{role}",
            handler=f"platforms.{self.connection.platform}.{role}.handler",
            memory_mb=shape.memory_mb,
            timeout_s=min(shape.timeout_s, ceiling_s),
            environment={
                "FIZZBRIDGE_CONNECTION": self.connection.name,
                **self.shared.environment(),
                **environment,
            },
            statements=statements,
        )
        return BridgeFunction(
            scope,
            role.capitalize(),
            stage=self.stage,
            code=self.code,
            layers=self.layers,
            alarms=self.alarms,
            facts=facts,
        )


def connection_secret(
    scope: Construct, stage: Stage, connection: str, purpose: str
) -> secretsmanager.Secret:
    """Make an empty secret; ``fizzbridge secrets set`` fills it."""
    secret = secretsmanager.Secret(
        scope,
        f"{purpose.capitalize()}Secret",
        secret_name=stage.secret(connection, purpose),
        description=f"{purpose} keys of {connection}; set with `fizzbridge secrets set`",
    )
    acknowledge(
        secret,
        {
            "AwsSolutions-SMG4": "The vendor issues these keys; no rotation function could ask "
            "for new ones. Two values are active while a person renews them.",
        },
    )
    return secret
