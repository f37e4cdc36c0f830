"""The address vendors send to: one HTTP API, throttled, with a log that holds no secrets."""

import json

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.function import LOG_RETENTION
from infra.stage import Stage

# Several times the largest burst planned for; it bounds what a flood may cost.
RATE_LIMIT = 1000
BURST_LIMIT = 2000

# The route key names the connection, since each has a literal route. Path, query and headers stay
# out: for vendors that cannot sign, the path holds the secret.
ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "integration_status": "$context.integrationStatus",
    "integration_latency_ms": "$context.integrationLatency",
    "error": "$context.error.responseType",
}


class Ingress(Construct):
    """The HTTP API and its only stage; connections add their routes."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Ingress")
        self.api = apigateway.HttpApi(
            self, "Api", api_name=stage.resource("api"), create_default_stage=False
        )
        log_group = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/fizzbridge/{stage.name}/access",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.RETAIN if stage.retain else RemovalPolicy.DESTROY,
        )
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn.removesuffix(":*"),
                format=json.dumps(ACCESS_LOG),
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE_LIMIT,
                throttling_burst_limit=BURST_LIMIT,
                detailed_metrics_enabled=True,
            ),
        )
        self.url = f"https://{self.api.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"
