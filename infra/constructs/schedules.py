"""Schedules: EventBridge Scheduler with a role of its own and a dead-letter queue."""

import json

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.access import allow


class Schedules(Construct):
    """Schedules that share one target."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        target_arn: str,
        action: str,
        undelivered: sqs.IQueue,
    ) -> None:
        """Make the role.

        Args:
            scope: Where to make it.
            construct_id: Its id there.
            target_arn: What the schedules call.
            action: The one IAM action that calling it takes.
            undelivered: Where Scheduler leaves what it could not deliver.
        """
        super().__init__(scope, construct_id)
        self._target_arn = target_arn
        self._undelivered = undelivered
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            inline_policies={
                "schedule": iam.PolicyDocument(
                    statements=[
                        allow("Call", [action], target_arn),
                        allow("Undelivered", ["sqs:SendMessage"], undelivered.queue_arn),
                    ]
                )
            },
        )

    def every(self, construct_id: str, *, name: str, interval: str, message: object) -> None:
        """Call the target at an interval, for example ``15 minutes``, with a JSON message."""
        scheduler.CfnSchedule(
            self,
            construct_id,
            name=name,
            schedule_expression=f"rate({interval})",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._target_arn,
                role_arn=self._role.role_arn,
                input=json.dumps(message),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self._undelivered.queue_arn
                ),
                # The next tick repeats the call anyway; an hour-old one has nothing to add.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
