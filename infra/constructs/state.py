"""Where state lives: the table, the bucket for bodies too large for a row, and the bus."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct

from fizzbridge.model.events import SOURCE_PREFIX
from infra.constructs.acknowledgements import acknowledge
from infra.stage import ARCHIVE_DAYS, TTL_ATTRIBUTE, Stage


def state_table(scope: Construct, stage: Stage) -> dynamodb.Table:
    """Make the state table: one row per part, link, hold and map entry."""
    table = dynamodb.Table(
        scope,
        "Table",
        partition_key=_key("pk"),
        sort_key=_key("sk"),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        encryption=dynamodb.TableEncryption.AWS_MANAGED,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=TTL_ATTRIBUTE,
        deletion_protection=stage.retain,
        removal_policy=RemovalPolicy.RETAIN if stage.retain else RemovalPolicy.DESTROY,
    )
    # Both are hints that hold keys only and most rows are in neither; the base row decides.
    for name, partition, sort in (
        ("behind", "behind_shard", "behind_since"),
        ("cause", "cause", "pk"),
    ):
        table.add_global_secondary_index(
            index_name=name,
            partition_key=_key(partition),
            sort_key=_key(sort),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
    return table


def claim_check_bucket(scope: Construct, name: str, stage: Stage) -> s3.Bucket:
    """Make the bucket for bodies too large for a row or a message."""
    bucket = s3.Bucket(
        scope,
        "Bucket",
        bucket_name=name,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=stage.tls_only,
        versioned=stage.retain,
        lifecycle_rules=[
            s3.LifecycleRule(
                id="uploads-and-old-versions",
                abort_incomplete_multipart_upload_after=Duration.days(1),
                noncurrent_version_expiration=Duration.days(30) if stage.retain else None,
            ),
            # Raw deliveries wait here for the pull function or for a replay; parts never expire.
            s3.LifecycleRule(id="deliveries", prefix="deliveries/", expiration=Duration.days(30)),
        ],
        removal_policy=RemovalPolicy.RETAIN if stage.retain else RemovalPolicy.DESTROY,
    )
    acknowledge(
        bucket,
        {
            "AwsSolutions-S1": "Only the bridge's own functions read it; an access log would "
            "double the writes and hold nothing the functions' logs do not.",
        },
    )
    return bucket


def event_bus(scope: Construct, stage: Stage) -> events.EventBus:
    """Make the bus, and its archive for replays."""
    bus = events.EventBus(scope, "Bus", event_bus_name=stage.resource("bus"))
    if stage.archive:
        bus.archive(
            "Archive",
            archive_name=stage.resource("archive"),
            description="Every event, for replay",
            event_pattern=events.EventPattern(source=events.Match.prefix(SOURCE_PREFIX)),
            retention=Duration.days(ARCHIVE_DAYS),
        )
    acknowledge(
        bus,
        {
            "Serverless-EventBusDLQ": "Each rule's target has a dead-letter queue, which keeps "
            "the event; the bus's own is for failures of a customer key, and there is none.",
        },
    )
    return bus


def _key(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
