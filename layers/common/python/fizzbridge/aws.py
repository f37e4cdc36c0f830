"""AWS clients with time limits that fit the caller.

Built on botocore alone: boto3's resources and transfer manager would be imported for nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import botocore.session
from botocore.config import Config

from fizzbridge.observability import log

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

_CONNECT_SHARE = 0.15
_ATTEMPTS = 2
_PAUSE_S = 0.1
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


@overload
def aws_client(
    service: Literal["dynamodb"], *, deadline_s: float, endpoint_url: str | None = None
) -> DynamoDBClient: ...
@overload
def aws_client(
    service: Literal["events"], *, deadline_s: float, endpoint_url: str | None = None
) -> EventBridgeClient: ...
@overload
def aws_client(
    service: Literal["logs"], *, deadline_s: float, endpoint_url: str | None = None
) -> CloudWatchLogsClient: ...
@overload
def aws_client(
    service: Literal["lambda"], *, deadline_s: float, endpoint_url: str | None = None
) -> LambdaClient: ...
@overload
def aws_client(
    service: Literal["s3"], *, deadline_s: float, endpoint_url: str | None = None
) -> S3Client: ...
@overload
def aws_client(
    service: Literal["secretsmanager"], *, deadline_s: float, endpoint_url: str | None = None
) -> SecretsManagerClient: ...
@overload
def aws_client(
    service: Literal["sqs"], *, deadline_s: float, endpoint_url: str | None = None
) -> SQSClient: ...
def aws_client(service: str, *, deadline_s: float, endpoint_url: str | None = None) -> Any:
    """Makes a client whose calls end within `deadline_s`, one resend included.

    Args:
        service: Which service.
        deadline_s: Longest a call may take before it counts as failed.
        endpoint_url: Where the service is, if not where the environment says.
    """
    per_attempt = (deadline_s - _PAUSE_S) / _ATTEMPTS
    config = Config(
        connect_timeout=per_attempt * _CONNECT_SHARE,
        read_timeout=per_attempt * (1 - _CONNECT_SHARE),
        # The legacy mode resends DynamoDB calls after 50 ms; the standard mode may wait a second,
        # which is most of the time a delivery has.
        retries={"mode": "legacy", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=50,
    )
    client = _session().create_client(service, endpoint_url=endpoint_url, config=config)
    client.meta.events.register("after-call", _say_if_denied)
    return client


def _say_if_denied(parsed: dict[str, Any], **_: object) -> None:
    """Log a right that is missing: callers take it for an outage, and some do without.

    AWS's sentence names role, action and resource.
    """
    error = parsed.get("Error", {})
    if error.get("Code") in _DENIED:
        log.error("access denied", extra={"reason": error.get("Message", "")})


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()
