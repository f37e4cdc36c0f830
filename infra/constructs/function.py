"""A function of the bridge: own role, own log group, three layers, alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from fizzbridge.observability import NAMESPACE
from infra.assets import Assets
from infra.constructs import access
from infra.constructs.access import allow, wildcard_reasons
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.alarms import Alarms
from infra.stage import Stage

LOG_RETENTION = logs.RetentionDays.THREE_MONTHS
# One with the wheels in infra/assets.py.
RUNTIME = lambda_.Runtime.PYTHON_3_13
_OLDER_RUNTIME = "Python 3.13 is supported until 2029; the dependencies are locked for it."


class Layers(Construct):
    """The three layers, made in each stack so that a stack's functions and layers move as one."""

    def __init__(self, scope: Construct, assets: Assets) -> None:
        super().__init__(scope, "Layers")
        self.all = [
            self._layer("Dependencies", assets.dependencies()),
            self._layer("Common", assets.common()),
            self._layer("Configuration", assets.configuration()),
        ]

    def _layer(self, construct_id: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=code,
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )


@dataclass(frozen=True)
class FunctionFacts:
    """What a function is called, how large it is, and what it may do."""

    name: str
    handler: str
    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]
    statements: Sequence[iam.PolicyStatement]


class BridgeFunction(Construct):
    """One function with everything it must not go without."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        code: lambda_.Code,
        layers: Layers,
        alarms: Alarms,
        facts: FunctionFacts,
    ) -> None:
        super().__init__(scope, construct_id)
        full_name = stage.resource(facts.name)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{full_name}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.RETAIN if stage.retain else RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "function": iam.PolicyDocument(
                    statements=[
                        allow(
                            "WriteLogs",
                            ["logs:CreateLogStream", "logs:PutLogEvents"],
                            self.log_group.log_group_arn,
                        ),
                        access.trace(),
                        *facts.statements,
                    ]
                )
            },
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=full_name,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=facts.handler,
            code=code,
            layers=layers.all,
            role=self.role.without_policy_updates(),
            memory_size=facts.memory_mb,
            timeout=Duration.seconds(facts.timeout_s),
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            environment={
                "FIZZBRIDGE_STAGE": stage.name,
                "POWERTOOLS_SERVICE_NAME": facts.name,
                "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **facts.environment,
            },
        )
        alarms.function(facts.name, self.function)
        acknowledge(
            self,
            {
                **wildcard_reasons(stage),
                "AwsSolutions-L1": _OLDER_RUNTIME,
                "Serverless-LambdaLatestVersion": _OLDER_RUNTIME,
                "Serverless-LambdaDLQ": "Called by API, queue or stream, which each have a "
                "failure path of their own; no caller is asynchronous but the sweep's schedule, "
                "which repeats.",
            },
        )
