"""What people may do with the command line: policies to attach to their roles, to nobody's here.

Three that add up, because looking, repairing and holding keys are three trusts. The rights are
those of the calls the commands make.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.access import allow
from infra.constructs.acknowledgements import acknowledge
from infra.stage import Stage

_LISTS = "lists what exists and takes no resource; it shows names and figures, no rows"


class People(Construct):
    """Managed policies ``reader``, ``operator`` and ``keyholder`` of one stage.

    Args:
        scope: the core stack.
        stage: whose resources they are for.
        table: the state table.
        bucket_name: the bucket of bodies.
    """

    def __init__(
        self, scope: Construct, stage: Stage, table: dynamodb.ITable, bucket_name: str
    ) -> None:
        super().__init__(scope, "People")
        self._stage = stage
        self._stack = Stack.of(self)
        self._table = table
        self._bucket = f"arn:{Aws.PARTITION}:s3:::{bucket_name}"
        self._policy("Reader", "See everything but secrets; repair nothing", self._reads())
        self._policy(
            "Operator",
            "See everything but secrets and repair it; neither deploy nor delete what is deployed",
            [*self._reads(), *self._repairs()],
        )
        self._policy("Keyholder", "Set the secrets of connections", self._keys())

    def _policy(self, name: str, description: str, statements: list[iam.PolicyStatement]) -> None:
        policy = iam.ManagedPolicy(
            self,
            name,
            managed_policy_name=self._stage.resource(name.lower()),
            description=f"{description}.",
            statements=statements,
        )
        acknowledge(policy, self._reasons())

    def _reads(self) -> list[iam.PolicyStatement]:
        """What status, trace, explain, drift, plan, check and the lists need."""
        return [
            allow("FindStacks", ["cloudformation:DescribeStacks"], "*"),
            allow(
                "ReadRows",
                ["dynamodb:GetItem", "dynamodb:Query"],
                self._table.table_arn,
                *(f"{self._table.table_arn}/index/{name}" for name in ("behind", "cause")),
            ),
            allow("ReadBodies", ["s3:GetObject"], f"{self._bucket}/*"),
            allow("TellMissing", ["s3:ListBucket"], self._bucket),
            allow(
                "CountMessages", ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"], self._queues("*")
            ),
            # To look at a letter is to receive it and to put it back at once.
            allow(
                "LookAtDeadLetters",
                ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"],
                *self._dead_letters(),
            ),
            # A plan is asked of the target's function; what its queue takes besides is hints.
            allow("AskTargets", ["sqs:SendMessage"], self._queues("*-documents")),
            allow(
                "SeeFigures",
                [
                    "cloudwatch:DescribeAlarms",
                    "cloudwatch:GetDashboard",
                    "cloudwatch:GetMetricData",
                    "cloudwatch:ListMetrics",
                    "logs:DescribeLogGroups",
                    "logs:GetQueryResults",
                ],
                "*",
            ),
            allow(
                "ReadLogs",
                [
                    "logs:DescribeLogStreams",
                    "logs:FilterLogEvents",
                    "logs:GetLogEvents",
                    "logs:StartQuery",
                ],
                *self._logs(),
            ),
        ]

    def _repairs(self) -> list[iam.PolicyStatement]:
        """What redrive, discard, hold, map, route, resync, backfill, pause and replay need."""
        return [
            allow(
                "WriteRows",
                [
                    "dynamodb:ConditionCheckItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                ],
                self._table.table_arn,
            ),
            allow("WriteBodies", ["s3:PutObject"], f"{self._bucket}/*"),
            allow("SendHints", ["sqs:SendMessage"], self._queues("*")),
            allow("TakeDeadLetters", ["sqs:DeleteMessage"], *self._dead_letters()),
            allow("FindRules", ["events:ListRules"], self._events("rule", "*")),
            allow(
                "Replay",
                ["events:DescribeArchive", "events:DescribeReplay", "events:StartReplay"],
                self._events("archive", self._stage.resource("archive")),
                self._events("replay", f"{self._stage.resource()}-*"),
            ),
        ]

    def _keys(self) -> list[iam.PolicyStatement]:
        """What secrets set needs: it keeps what it is not told, and notes when keys end."""
        secrets = self._stack.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{self._stage.secret('*', '*')}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return [
            allow("FindStacks", ["cloudformation:DescribeStacks"], "*"),
            allow(
                "SetSecrets",
                ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
                secrets,
            ),
            allow(
                "NoteExpiry",
                ["dynamodb:DeleteItem", "dynamodb:PutItem"],
                self._table.table_arn,
                conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["CONNECTION#*"]}},
            ),
        ]

    def _queues(self, part: str) -> str:
        return self._stack.format_arn(service="sqs", resource=self._stage.resource(part))

    def _dead_letters(self) -> tuple[str, str]:
        return self._queues("*dlq"), self._queues("undelivered")

    def _logs(self) -> tuple[str, ...]:
        names = (
            f"/aws/lambda/{self._stage.resource()}-*",
            f"/aws/lambda/{self._stage.resource()}-*:*",
        )
        return tuple(
            self._stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in names
        )

    def _events(self, resource: str, name: str) -> str:
        return self._stack.format_arn(service="events", resource=resource, resource_name=name)

    def _reasons(self) -> dict[str, str]:
        """Why each wildcard is meant, by cdk-nag's name of the finding."""
        arn, here = "arn:<AWS::Partition>", "<AWS::Region>:<AWS::AccountId>"
        name = self._stage.resource()
        bucket = self._stage.resource("<AWS::AccountId>", "<AWS::Region>")
        logs = f"{arn}:logs:{here}:log-group:/aws/lambda/{name}-*"
        mine = "Connections come and go without a deployment of the core."
        reasons = {
            "*": f"Each action {_LISTS}.",
            f"{arn}:s3:::{bucket}/*": "Bodies of the bridge's own bucket; their keys are hashes.",
            f"{arn}:sqs:{here}:{name}-*": mine,
            f"{arn}:sqs:{here}:{name}-*-documents": mine,
            f"{arn}:sqs:{here}:{name}-*dlq": mine,
            logs: mine,
            f"{logs}:*": mine,
            f"{arn}:events:{here}:rule/*": f"It {_LISTS}.",
            f"{arn}:events:{here}:replay/{name}-*": "A replay is named when it is begun.",
            f"{arn}:secretsmanager:{here}:secret:{self._stage.secret('*', '*')}": mine,
        }
        return {f"AwsSolutions-IAM5[Resource::{given}]": why for given, why in reasons.items()}
