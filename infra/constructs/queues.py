"""Queues: encrypted, TLS only, and each with a dead-letter queue or being one."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.stage import Stage

RETENTION = Duration.days(4)
# Longer than the source queue's, so that a message's second life is never shorter than its first.
DEAD_LETTER_RETENTION = Duration.days(14)
# Workers decide by the reason of a failure when to park; the count only catches a message that
# kills the worker before it can decide. A low count would park work of a mere outage.
MAX_RECEIVES = 1000


def dead_letter_queue(scope: Construct, construct_id: str, name: str, stage: Stage) -> sqs.Queue:
    """Make a dead-letter queue."""
    queue = sqs.Queue(
        scope,
        construct_id,
        queue_name=name,
        retention_period=DEAD_LETTER_RETENTION,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=stage.tls_only,
    )
    acknowledge(
        queue,
        {
            "AwsSolutions-SQS3": "It is a dead-letter queue.",
            "Serverless-SQSRedrivePolicy": "It is a dead-letter queue.",
        },
    )
    return queue


def work_queue(
    scope: Construct,
    construct_id: str,
    name: str,
    stage: Stage,
    *,
    dead_letters: sqs.IQueue,
    visibility_s: int,
) -> sqs.Queue:
    """Make a queue that an event source mapping reads."""
    return sqs.Queue(
        scope,
        construct_id,
        queue_name=name,
        retention_period=RETENTION,
        visibility_timeout=Duration.seconds(visibility_s),
        receive_message_wait_time=Duration.seconds(20),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=stage.tls_only,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVES),
    )


def allow_events(queue: sqs.Queue, *rule_arns: str) -> None:
    """Let EventBridge send to the queue, for these rules only.

    Args:
        queue: The queue.
        rule_arns: Exact names, or patterns where the rules are in other stacks.
    """
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RulesOnly",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "ArnLike": {"aws:SourceArn": list(rule_arns)},
                "StringEquals": {"aws:SourceAccount": Stack.of(queue).account},
            },
        )
    )
