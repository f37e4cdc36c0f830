"""Every difference between the local stage and a stage on AWS, with its reason.

``DIFFERENCES`` names a field of ``Stage`` each; ``local_stage`` is the only place that sets them.
``tests/infra`` compares the templates of both stages and accepts nothing else. ``UNSEEN`` lists
what is in both templates and has no effect here: those are asserted on the template only.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from fizzbridge.settings import LOCAL_STAGE
from infra.stage import Stage
from infra.wheels import Wheels


@dataclass(frozen=True)
class Difference:
    """One thing that is otherwise here."""

    field: str
    """The field of ``Stage`` that switches it."""
    reason: str
    instead: str
    """What the local stack does in its place."""
    paths: tuple[str, ...]
    """Where templates may differ: resource type, then the property's path; ``*`` is the whole."""


DIFFERENCES = (
    Difference(
        field="bootstrapped",
        reason="The deployment roles of a bootstrapped account do not exist here.",
        instead="The command line's own credentials deploy; the asset bucket is made first.",
        paths=("Parameters/*", "Rules/*"),
    ),
    Difference(
        field="tls_only",
        reason="The emulator is called over plain http on the loopback address, and it evaluates "
        "resource policies: a policy that demands TLS would refuse every call.",
        instead="Nothing; the policies are asserted on the template of the AWS stage.",
        paths=(
            "AWS::SQS::QueuePolicy/PolicyDocument",
            "AWS::SQS::QueuePolicy/*",
            "AWS::S3::BucketPolicy/*",
            "AWS::SNS::TopicPolicy/PolicyDocument",
        ),
    ),
    Difference(
        field="archive",
        reason="The emulator's CloudFormation refuses archives.",
        instead="The archive is made by an API call after the deployment.",
        paths=("AWS::Events::Archive/*",),
    ),
    Difference(
        field="metric_math",
        reason="The emulator's CloudFormation refuses alarms over several metrics.",
        instead="Nothing; the alarm is asserted on the template of the AWS stage.",
        paths=("AWS::CloudWatch::Alarm/*",),
    ),
    Difference(
        field="retain",
        reason="The local stack is thrown away with its data.",
        instead="Table, bucket and log groups go with their stack.",
        paths=(
            "AWS::DynamoDB::Table/DeletionProtectionEnabled",
            "AWS::DynamoDB::Table/DeletionPolicy",
            "AWS::DynamoDB::Table/UpdateReplacePolicy",
            "AWS::S3::Bucket/VersioningConfiguration",
            "AWS::S3::Bucket/LifecycleConfiguration",
            "AWS::S3::Bucket/DeletionPolicy",
            "AWS::S3::Bucket/UpdateReplacePolicy",
            "AWS::Logs::LogGroup/DeletionPolicy",
            "AWS::Logs::LogGroup/UpdateReplacePolicy",
        ),
    ),
    Difference(
        field="service_workers",
        reason="The emulator starts a process for every copy of a function, all on this machine's "
        "few cores: ten that start at once are slower than two that work.",
        instead="Two copies, the least a queue's mapping allows.",
        paths=(
            "AWS::Lambda::EventSourceMapping/ScalingConfig",
            "AWS::Lambda::EventSourceMapping/ParallelizationFactor",
        ),
    ),
    Difference(
        field="wheels",
        reason="The emulator runs functions on its own interpreter and this machine's processor.",
        instead="The dependencies layer is built from the same lock for that interpreter.",
        paths=("AWS::Lambda::LayerVersion/Content",),
    ),
)

UNSEEN = {
    "AWS::DynamoDB::Table/TimeToLiveSpecification": "set by an API call after the deployment",
    "AWS::DynamoDB::Table/PointInTimeRecoverySpecification": "no backups here",
    "AWS::ApiGatewayV2::Stage/DefaultRouteSettings": "no throttling here",
    "AWS::ApiGatewayV2::Stage/AccessLogSettings": "no access log here",
    "AWS::Events::Rule/Targets/DeadLetterConfig": "a rule's failed delivery is lost here",
    "AWS::Events::Rule/Targets/RetryPolicy": "a rule does not retry here",
    "AWS::Scheduler::Schedule/Target/DeadLetterConfig": "a failed schedule is logged and lost",
    "AWS::Lambda::Function/Architectures": "this machine's processor is used",
    "AWS::Lambda::Function/Runtime": "the emulator's interpreter is used",
    "AWS::Lambda::Function/MemorySize": "memory is not limited here",
    "AWS::S3::Bucket/LifecycleConfiguration": "nothing expires here",
}


def emulator_python(root: Path) -> Path:
    """Return the interpreter of the emulator's own environment."""
    return root / ".venv-emulator" / "bin" / "python"


def local_stage(root: Path) -> Stage:
    """Return the local stage, with the emulator's interpreter to build the layer for."""
    version = subprocess.run(
        [
            str(emulator_python(root)),
            "-c",
            "import sys; print('%d.%d' % sys.version_info[:2])",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    return Stage(
        LOCAL_STAGE,
        bootstrapped=False,
        tls_only=False,
        archive=False,
        metric_math=False,
        retain=False,
        service_workers=2,
        wheels=Wheels(python=version, platform=None),
    )
