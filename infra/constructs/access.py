"""The data-plane rights a function may get: explicit statements, each as narrow as AWS allows.

Written out instead of ``grant_*``, which gives more actions than a function uses and, for
streams, a wildcard beside. ``tests/infra/grants.py`` repeats the outcome with reasons.
"""

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from infra.stage import Stage

_ARN = f"arn:{Aws.PARTITION}"


def wildcard_reasons(stage: Stage) -> dict[str, str]:
    """Return why each wildcard below is meant, by cdk-nag's name of the finding."""
    arn, here = "arn:<AWS::Partition>", "<AWS::Region>:<AWS::AccountId>"
    bucket = stage.resource("<AWS::AccountId>", "<AWS::Region>")
    resources = {
        "*": "dynamodb:ListStreams and lambda:ListEventSourceMappings take no resource; they show "
        "names, no rows and no messages. Nor do X-Ray's two actions, which add to traces and read "
        "none.",
        f"{arn}:lambda:{here}:event-source-mapping:*": "Mappings have no names; the condition "
        "allows those of the bridge's own functions only.",
        f"{arn}:s3:::{bucket}/*": "Objects of the bridge's own bucket; their keys are hashes.",
        f"{arn}:sqs:{here}:{stage.resource()}-*": "The sweep hints at any connection's queues; "
        "connections come and go without a deployment of the core.",
        f"{arn}:logs:{here}:log-group:/aws/lambda/{stage.resource()}-*": "The census reads the "
        "lines of any connection's deliveries, likewise; they hold no personal data.",
    }
    return {
        "Serverless-LambdaStarPermissions": resources["*"],
        **{f"AwsSolutions-IAM5[Resource::{name}]": why for name, why in resources.items()},
    }


def allow(
    sid: str, actions: list[str], *resources: str, conditions: dict[str, object] | None = None
) -> iam.PolicyStatement:
    """Return an Allow statement."""
    return iam.PolicyStatement(
        sid=sid, actions=actions, resources=list(resources), conditions=conditions
    )


def merge_state(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Read rows by key and write them under a condition, alone or in a transaction."""
    return allow(
        "MergeState",
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
        table.table_arn,
    )


def read_entities(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Read all rows of one entity."""
    return allow("ReadEntities", ["dynamodb:Query"], table.table_arn)


def delete_rows(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Delete rows that stand for something that has ended, and are in nobody's history."""
    return allow("DeleteRows", ["dynamodb:DeleteItem"], table.table_arn)


def check_rows(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Make a transaction depend on a row that it does not write."""
    return allow("CheckRows", ["dynamodb:ConditionCheckItem"], table.table_arn)


def query_index(table: dynamodb.ITable, index: str) -> iam.PolicyStatement:
    """Query one index, which holds keys only."""
    return allow(
        f"QueryIndex{index.capitalize()}",
        ["dynamodb:Query"],
        f"{table.table_arn}/index/{index}",
    )


def read_rows(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Read rows by key."""
    return allow("ReadRows", ["dynamodb:GetItem"], table.table_arn)


def update_rows(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Change single attributes of rows."""
    return allow("UpdateRows", ["dynamodb:UpdateItem"], table.table_arn)


def put_rows(table: dynamodb.ITable) -> iam.PolicyStatement:
    """Write whole rows."""
    return allow("PutRows", ["dynamodb:PutItem"], table.table_arn)


def read_stream(table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """Let an event source mapping read the table's stream on the function's behalf."""
    if table.table_stream_arn is None:
        raise ValueError("the table has no stream")
    return [
        allow(
            "ReadStream",
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            table.table_stream_arn,
        ),
        # ListStreams takes no resource; it shows stream names, no rows.
        allow("ListStreams", ["dynamodb:ListStreams"], "*"),
    ]


def trace() -> iam.PolicyStatement:
    """Tell X-Ray how long an invocation took; its actions take no resource."""
    return allow("Trace", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")


def put_objects(bucket_name: str) -> iam.PolicyStatement:
    """Store bodies that are too large for a row or a message."""
    return allow("PutObjects", ["s3:PutObject"], f"{_ARN}:s3:::{bucket_name}/*")


def get_objects(bucket_name: str) -> list[iam.PolicyStatement]:
    """Read such bodies; without the right to list, a missing one looks like a forbidden one."""
    return [
        allow("GetObjects", ["s3:GetObject"], f"{_ARN}:s3:::{bucket_name}/*"),
        allow("TellMissing", ["s3:ListBucket"], f"{_ARN}:s3:::{bucket_name}"),
    ]


def send(queue: sqs.IQueue, sid: str) -> iam.PolicyStatement:
    """Send to one queue."""
    return allow(sid, ["sqs:SendMessage"], queue.queue_arn)


def consume(*queues: sqs.IQueue) -> iam.PolicyStatement:
    """Let an event source mapping read the queues, and the worker put messages off."""
    return allow(
        "Consume",
        [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            # The worker knows the queue by its ARN and puts messages off by its address.
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
        ],
        *(queue.queue_arn for queue in queues),
    )


def put_events(bus: events.IEventBus) -> iam.PolicyStatement:
    """Put events on the bus."""
    return allow("PutEvents", ["events:PutEvents"], bus.event_bus_arn)


def read_secret(stack: Stack, name: str, sid: str) -> iam.PolicyStatement:
    """Read one secret.

    Its name with the six characters AWS adds: the emulator's ``Ref`` of a secret is the name and no
    ARN, and a statement made of it would allow nothing.
    """
    arn = stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{name}-??????",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return allow(sid, ["secretsmanager:GetSecretValue"], arn)


def send_hints(stack: Stack, queue_prefix: str) -> iam.PolicyStatement:
    """Find and fill the work queues of all connections, by the prefix of their names."""
    queues = stack.format_arn(service="sqs", resource=f"{queue_prefix}-*")
    return allow("SendHints", ["sqs:GetQueueUrl", "sqs:SendMessage"], queues)


def read_logs(stack: Stack, function_prefix: str) -> iam.PolicyStatement:
    """Read what the functions of all connections have logged, by the prefix of their names."""
    groups = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"/aws/lambda/{function_prefix}-*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return allow("ReadLogs", ["logs:FilterLogEvents"], groups)


def switch_mappings(stack: Stack, function_prefix: str) -> list[iam.PolicyStatement]:
    """Turn the mappings of all connections' functions on and off, by the prefix of their names."""
    mappings, functions = (
        stack.format_arn(
            service="lambda",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for resource, name in (
            ("event-source-mapping", "*"),
            ("function", f"{function_prefix}-*"),
        )
    )
    return [
        # ListEventSourceMappings takes no resource and knows no condition.
        allow("ListMappings", ["lambda:ListEventSourceMappings"], "*"),
        allow(
            "SwitchMappings",
            ["lambda:UpdateEventSourceMapping"],
            mappings,
            # A mapping has a function, so AWS always has something to compare. The emulator does
            # not know the key, and would refuse without "if exists".
            conditions={"ArnLikeIfExists": {"lambda:FunctionArn": functions}},
        ),
    ]
