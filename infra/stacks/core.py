"""The core: what all connections share, and the services between them."""

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.connection_parts import Shared
from infra.constructs.dashboard import BridgeDashboard
from infra.constructs.ingress import Ingress
from infra.constructs.people import People
from infra.constructs.queues import allow_events, dead_letter_queue
from infra.constructs.services import Services
from infra.constructs.state import claim_check_bucket, event_bus, state_table
from infra.deployment import Deployment


class CoreStack(Stack):
    """Table, bus, API, services, alarms' topic, dashboard."""

    def __init__(self, scope: Construct, deployment: Deployment, **options: object) -> None:
        stage = deployment.stage
        super().__init__(
            scope,
            stage.resource("core"),
            description=f"fizzbridge {stage.name}: core",
            **options,  # type: ignore[arg-type]  # the synthesizer, chosen by the stage
        )
        ingress = Ingress(self, stage)
        bus = event_bus(self, stage)
        undelivered = dead_letter_queue(self, "Undelivered", stage.resource("undelivered"), stage)
        # The rules of all stacks; by pattern, since the connections come and go after the core.
        allow_events(
            undelivered,
            self.format_arn(
                service="events",
                resource="rule",
                resource_name=f"{bus.event_bus_name}/{stage.resource()}-*",
            ),
        )
        # Named, not generated: policies of all stacks can then say which bucket they mean.
        bucket_name = stage.resource(Aws.ACCOUNT_ID, Aws.REGION)
        claim_check_bucket(self, bucket_name, stage)
        self.shared = Shared(
            table=state_table(self, stage),
            bucket_name=bucket_name,
            bus=bus,
            api=ingress.api,
            undelivered=undelivered,
            topic=self._topic(deployment),
        )
        People(self, stage, self.shared.table, bucket_name)
        alarms = Alarms(self, self.shared.topic, stage, deployment.bridge)
        alarms.dead_letters("undelivered", undelivered)
        Services(self, deployment, self.shared, alarms)
        bridge = deployment.bridge
        dashboard = BridgeDashboard(
            self, stage, bridge, [(each, deployment.manifest(each)) for each in bridge.connections]
        )
        for name, value in (
            ("TableName", self.shared.table.table_name),
            ("BucketName", bucket_name),
            ("BusName", bus.event_bus_name),
            ("ApiUrl", ingress.url),
            ("ApiId", ingress.api.api_id),
            ("RuleDlqUrl", undelivered.queue_url),
            ("DashboardName", dashboard.dashboard.dashboard_name),
            ("AlarmTopicArn", self.shared.topic.topic_arn),
        ):
            CfnOutput(self, name, value=value)

    def _topic(self, deployment: Deployment) -> sns.Topic:
        topic = sns.Topic(
            self,
            "AlarmTopic",
            topic_name=deployment.stage.resource("alarms"),
            enforce_ssl=deployment.stage.tls_only,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        acknowledge(
            topic,
            {
                "AwsSolutions-SNS2": "Alarms name a queue or a function and nothing else; "
                "CloudWatch cannot publish through the service's own key.",
            },
        )
        return topic
