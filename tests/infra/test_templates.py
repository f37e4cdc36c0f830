"""What must hold of every template that goes to AWS, whatever the bridge file says.

Much of it deploys on the emulator and has no effect there, so the template is where it is proven.
"""

import json
import pathlib
import re
import sys

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs

from fizzbridge.manifest import load_registry
from fizzbridge.model.events import ASSESS_TYPES, DOCUMENT_TYPES, LEVEL_TYPES, RECORD_TYPES
from fizzbridge.model.order import HoldReason
from fizzbridge.observability import Metric
from infra.app import check
from infra.constructs.alarms import runbook
from infra.constructs.ingress import ACCESS_LOG
from infra.stage import Stage as BridgeStage
from tests.infra.reading import as_list, named
from tests.infra.synthesis import FLEET, ROOT, run_app

MANIFESTS = load_registry(ROOT)


@pytest.fixture(params=["aws", "both_ways"])
def synthesis(request):
    return request.getfixturevalue(request.param)


def stack_of(synthesis, path):
    return synthesis.templates[path.split("/")[0]]["Resources"]


def test_every_queue_has_a_dead_letter_queue_or_is_one(synthesis):
    queues = synthesis.resources("AWS::SQS::Queue")
    dead_letters = set()
    for path, queue in queues.items():
        policy = queue["Properties"].get("RedrivePolicy")
        if policy:
            name = named(policy["deadLetterTargetArn"], stack_of(synthesis, path))
            dead_letters.add(name.strip("<>"))
            assert policy["maxReceiveCount"] == 1000, path
    for path, queue in queues.items():
        properties = queue["Properties"]
        is_one = properties["QueueName"].endswith(("-dlq", "-undelivered"))
        assert is_one != ("RedrivePolicy" in properties), path
        if is_one:
            assert properties["MessageRetentionPeriod"] == 14 * 86400, path
    assert all(name.endswith("-dlq") for name in dead_letters)


def test_queues_are_encrypted_and_refuse_plain_http(synthesis):
    policies = {
        named(queue, stack_of(synthesis, path)): policy["Properties"]["PolicyDocument"]
        for path, policy in synthesis.resources("AWS::SQS::QueuePolicy").items()
        for queue in policy["Properties"]["Queues"]
    }
    for path, queue in synthesis.resources("AWS::SQS::Queue").items():
        properties = queue["Properties"]
        assert properties["SqsManagedSseEnabled"] is True, path
        assert_refuses_plain_http(policies[f"<{properties['QueueName']}>"])


def assert_refuses_plain_http(document):
    assert any(
        statement["Effect"] == "Deny"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in document["Statement"]
    )


def test_services_may_send_to_a_queue_only_for_our_own_rules(synthesis):
    for path, policy in synthesis.resources("AWS::SQS::QueuePolicy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}, path
                condition = statement["Condition"]
                for arn in as_list(condition["ArnLike"]["aws:SourceArn"]):
                    spelt = named(arn, stack_of(synthesis, path))
                    assert ":rule/" in spelt, path
                    assert "/fizzbridge-prod-" in spelt, path
                assert condition["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_every_rule_retries_and_has_somewhere_to_leave_what_it_cannot_deliver(synthesis):
    for path, rule in synthesis.resources("AWS::Events::Rule").items():
        (target,) = rule["Properties"]["Targets"]
        assert target["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": 86400,
            "MaximumRetryAttempts": 185,
        }, path
        spelt = named(target["DeadLetterConfig"]["Arn"], stack_of(synthesis, path))
        assert "undelivered" in spelt.lower(), path


def test_each_rules_queue_lets_that_rule_in(synthesis):
    allowed = {
        named(arn, stack_of(synthesis, path)).rsplit("/", 1)[1]
        for path, policy in synthesis.resources("AWS::SQS::QueuePolicy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        for arn in as_list(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    }
    for rule in synthesis.resources("AWS::Events::Rule").values():
        assert rule["Properties"]["Name"] in allowed


def test_rules_match_what_is_published(both_ways):
    patterns = {
        rule["Properties"]["Name"]: rule["Properties"]["EventPattern"]
        for rule in both_ways.resources("AWS::Events::Rule").values()
    }
    ours = [{"prefix": "fizzbridge."}]
    own = {"targets": ["acme-1"]}
    # A replay is for targets: what records and tells hears of nothing a second time.
    live = {"source": ours, "replay-name": [{"exists": False}]}
    assert patterns == {
        "fizzbridge-prod-assess": live | {"detail-type": sorted(ASSESS_TYPES)},
        "fizzbridge-prod-record": live | {"detail-type": sorted(RECORD_TYPES)},
        "fizzbridge-prod-acme-1-documents": {
            "source": ours,
            "detail-type": sorted(DOCUMENT_TYPES),
            "detail": own,
        },
        "fizzbridge-prod-acme-1-levels": {
            "source": ours,
            "detail-type": sorted(LEVEL_TYPES),
            "detail": own,
        },
    }


def test_every_function_is_arm64_with_its_own_role_log_group_and_alarms(synthesis):
    functions = synthesis.resources("AWS::Lambda::Function")
    roles = [
        (path.split("/")[0], named(f["Properties"]["Role"], {})) for path, f in functions.items()
    ]
    assert len(set(roles)) == len(roles)
    alarmed = {
        (named(dimension["Value"], stack_of(synthesis, path)), alarm["Properties"]["MetricName"])
        for path, alarm in synthesis.resources("AWS::CloudWatch::Alarm").items()
        for dimension in alarm["Properties"].get("Dimensions", [])
    }
    for path, function in functions.items():
        properties = function["Properties"]
        assert properties["Architectures"] == ["arm64"], path
        assert properties["Runtime"] == "python3.13", path
        assert len(properties["Layers"]) == 3, path
        group = stack_of(synthesis, path)[properties["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Properties"]["RetentionInDays"] == 90, path
        for metric in ("Errors", "Throttles"):
            assert (f"<{properties['FunctionName']}>", metric) in alarmed, path


def test_every_work_queue_is_watched_at_a_quarter_of_its_retention(synthesis):
    thresholds = {
        named(alarm["Properties"]["Dimensions"][0]["Value"], stack_of(synthesis, path)): (
            alarm["Properties"]["MetricName"],
            alarm["Properties"]["Threshold"],
        )
        for path, alarm in synthesis.resources("AWS::CloudWatch::Alarm").items()
        if alarm["Properties"].get("Namespace") == "AWS/SQS"
    }
    for path, queue in synthesis.resources("AWS::SQS::Queue").items():
        properties = queue["Properties"]
        spelt = f"<{properties['QueueName']}.QueueName>"
        expected = (
            ("ApproximateAgeOfOldestMessage", properties["MessageRetentionPeriod"] / 4)
            if "RedrivePolicy" in properties
            else ("ApproximateNumberOfMessagesVisible", 1)
        )
        assert thresholds[spelt] == expected, path


def test_every_alarm_tells_somebody(synthesis):
    for path, alarm in synthesis.resources("AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["AlarmActions"], path
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching", path


def test_every_alarm_says_where_its_page_is(synthesis):
    for path, alarm in synthesis.resources("AWS::CloudWatch::Alarm").items():
        page = alarm["Properties"]["AlarmDescription"].rsplit(" ", 1)[1]
        assert page.startswith("docs/runbooks/"), path
        assert (ROOT / page).is_file(), path
        assert alarm["Properties"]["AlarmName"].endswith(f"-{pathlib.Path(page).stem}"), path


def test_an_alarm_without_a_page_ends_the_synth():
    assert [runbook(name) for name in ("held", "gbp-held-value", "erp-dlq-not-empty")] == [
        "held",
        "held-value",
        "not-empty",
    ]
    with pytest.raises(LookupError, match="the alarm planted has no page"):
        runbook("planted")


def test_every_metric_of_ours_is_shown_or_alarmed(aws, with_canary):
    told = set()
    for synthesis in (aws, with_canary):
        spelt = json.dumps([*synthesis.resources("AWS::CloudWatch::Alarm").values()])
        (dashboard,) = synthesis.resources("AWS::CloudWatch::Dashboard").values()
        body = named(dashboard["Properties"]["DashboardBody"], {})
        told |= {*re.findall(r'"fizzbridge","(\w+)"', body)}
        told |= {*re.findall(r'"MetricName": "([a-z_]+)"', spelt)}
    assert told == {str(metric) for metric in Metric}


def test_a_source_of_orders_is_watched_for_what_is_held_and_for_silence(aws):
    alarms = {
        alarm["Properties"]["AlarmName"].removeprefix("fizzbridge-prod-shop-uk-"): alarm[
            "Properties"
        ]
        for alarm in aws.resources("AWS::CloudWatch::Alarm").values()
    }
    held = {
        next(one["Value"] for one in alarm["Dimensions"] if one["Name"] == "reason")
        for name, alarm in alarms.items()
        if name.endswith("-held")
    }
    assert held == set(HoldReason)
    assert alarms["gbp-held-value"]["Threshold"] == 10_000
    assert alarms["mapping-held"]["Threshold"] == 20
    assert alarms["silent"]["MetricName"] == "silent"


def test_every_function_is_traced(synthesis):
    for path, function in synthesis.resources("AWS::Lambda::Function").items():
        assert function["Properties"]["TracingConfig"] == {"Mode": "Active"}, path


def test_a_source_is_watched_for_forged_and_unreadable_deliveries(both_ways):
    alarms = {
        path.split("/")[1]: alarm["Properties"]
        for path, alarm in both_ways.resources("AWS::CloudWatch::Alarm").items()
    }
    (share,) = [alarm for name, alarm in alarms.items() if "rejectedshare" in name]
    assert {metric["Id"] for metric in share["Metrics"]} == {"expr_1", "rejected", "received"}
    (quarantined,) = [alarm for name, alarm in alarms.items() if "quarantined" in name]
    assert quarantined["Dimensions"] == [{"Name": "connection", "Value": "acme-1"}]


def test_mappings_report_single_failures_and_are_never_switched_by_a_template(synthesis):
    mappings = synthesis.resources("AWS::Lambda::EventSourceMapping")
    assert mappings
    for path, mapping in mappings.items():
        properties = mapping["Properties"]
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], path
        # Running or paused is state, which the sweeper keeps; a deployment must not undo it.
        assert "Enabled" not in properties, path


def test_the_stream_is_filtered_bisected_and_has_a_failure_queue(aws):
    (mapping,) = [
        m["Properties"]
        for m in aws.resources("AWS::Lambda::EventSourceMapping").values()
        if "StartingPosition" in m["Properties"]
    ]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]
    patterns = [
        json.loads(each["Pattern"])["dynamodb"]["Keys"]
        for each in mapping["FilterCriteria"]["Filters"]
    ]
    assert patterns == [
        {"sk": {"S": [{"prefix": p} for p in ("PART#", "LINK#", "HOLD#", "BREAKER")]}},
        {"pk": {"S": [{"prefix": p} for p in ("MAP#", "STOCK#", "ACCOUNT#", "EMPTIES#")]}},
    ]


def test_visibility_is_six_times_the_timeout(synthesis):
    visibility = {
        (path.split("/")[0], path.split("/")[1]): queue["Properties"].get("VisibilityTimeout")
        for path, queue in synthesis.resources("AWS::SQS::Queue").items()
    }
    for path, mapping in synthesis.resources("AWS::Lambda::EventSourceMapping").items():
        stack = path.split("/")[0]
        properties = mapping["Properties"]
        queue = properties["EventSourceArn"]["Fn::GetAtt"][0]
        function = properties["FunctionName"]["Ref"]
        timeout = synthesis.templates[stack]["Resources"][function]["Properties"]["Timeout"]
        if (stack, queue) in visibility:
            assert visibility[stack, queue] >= 6 * timeout, path


def test_the_table_streams_expires_and_outlives_its_stack(aws):
    (table,) = aws.resources("AWS::DynamoDB::Table").values()
    properties = table["Properties"]
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    pitr = properties["PointInTimeRecoverySpecification"]
    assert pitr == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] is True
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert {
        index["IndexName"]: (
            [key["AttributeName"] for key in index["KeySchema"]],
            index["Projection"],
        )
        for index in properties["GlobalSecondaryIndexes"]
    } == {
        "behind": (["behind_shard", "behind_since"], {"ProjectionType": "KEYS_ONLY"}),
        "cause": (["cause", "pk"], {"ProjectionType": "KEYS_ONLY"}),
    }


def test_the_bucket_is_private_encrypted_and_tls_only(aws):
    (bucket,) = aws.resources("AWS::S3::Bucket").values()
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["BucketEncryption"]
    assert bucket["DeletionPolicy"] == "Retain"
    (policy,) = aws.resources("AWS::S3::BucketPolicy").values()
    assert_refuses_plain_http(policy["Properties"]["PolicyDocument"])
    # Only raw deliveries may expire: parts of entities are kept in the same bucket.
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule]
    assert expiring == ["deliveries/"]


def test_the_archive_keeps_every_event_of_ours(aws):
    (archive,) = aws.resources("AWS::Events::Archive").values()
    assert archive["Properties"]["EventPattern"] == {"source": [{"prefix": "fizzbridge."}]}
    assert archive["Properties"]["RetentionDays"] == 30


def test_the_api_is_throttled_and_logs_neither_path_nor_query_nor_headers(aws):
    (stage,) = aws.resources("AWS::ApiGatewayV2::Stage").values()
    settings = stage["Properties"]["DefaultRouteSettings"]
    assert settings["ThrottlingRateLimit"] == 1000
    assert settings["ThrottlingBurstLimit"] == 2000
    assert json.loads(stage["Properties"]["AccessLogSettings"]["Format"]) == ACCESS_LOG
    variables = set(ACCESS_LOG.values())
    assert {"$context.routeKey", "$context.status", "$context.responseLatency"} <= variables
    assert not {v for v in variables if "path" in v or "header" in v or "query" in v.lower()}


def test_each_source_has_one_literal_route(aws, both_ways):
    def routes(synthesis):
        found = synthesis.resources("AWS::ApiGatewayV2::Route").values()
        return [route["Properties"]["RouteKey"] for route in found]

    assert sorted(routes(aws)) == ["POST /webhooks/erp/{token}", "POST /webhooks/shop-uk"]
    assert routes(both_ways) == ["POST /webhooks/acme-1/{token}"]


def test_schedules_poll_by_the_bridge_else_by_the_manifest(aws, both_ways):
    def polls(synthesis):
        return {
            (target["Properties"]["Name"], target["Properties"]["ScheduleExpression"]): json.loads(
                target["Properties"]["Target"]["Input"]
            )
            for target in synthesis.resources("AWS::Scheduler::Schedule").values()
        }

    def usual(connection, platform):
        return {
            (f"fizzbridge-prod-{connection}-{stream.name}", f"rate({stream.every})"): {
                "type": "poll",
                "stream": stream.name,
            }
            for stream in MANIFESTS[platform].streams
        }

    sweep = {
        ("fizzbridge-prod-sweep", "rate(1 minute)"): {},
        ("fizzbridge-prod-watch", "rate(5 minutes)"): {},
        ("fizzbridge-prod-census", "rate(60 minutes)"): {},
    }
    shop = [stream.name for stream in MANIFESTS["shopify"].streams]
    assert polls(aws) == sweep | usual("shop-uk", "shopify") | usual("erp", "odoo") | {
        ("fizzbridge-prod-shop-uk-watch", "rate(15 minutes)"): {"type": "watch", "streams": shop},
    }
    assert polls(both_ways) == sweep | {
        ("fizzbridge-prod-acme-1-orders", "rate(15 minutes)"): {"type": "poll", "stream": "orders"},
        ("fizzbridge-prod-acme-1-stock", "rate(1 hour)"): {"type": "poll", "stream": "stock"},
        ("fizzbridge-prod-acme-1-watch", "rate(6 hours)"): {
            "type": "watch",
            "streams": ["orders", "stock"],
        },
        ("fizzbridge-prod-acme-1-recheck", "rate(1 day)"): {"type": "recheck"},
    }
    for schedule in both_ways.resources("AWS::Scheduler::Schedule").values():
        target = schedule["Properties"]["Target"]
        assert target["DeadLetterConfig"]["Arn"]
        assert target["RoleArn"]


def test_secrets_are_made_empty_and_named_by_stage_and_connection(aws):
    names = [
        secret["Properties"]["Name"]
        for secret in aws.resources("AWS::SecretsManager::Secret").values()
    ]
    assert sorted(names) == [
        "/fizzbridge/prod/erp/api",
        "/fizzbridge/prod/erp/signing",
        "/fizzbridge/prod/shop-uk/api",
        "/fizzbridge/prod/shop-uk/signing",
    ]


def test_functions_know_only_their_own_secret(both_ways):
    environments = {
        f["Properties"]["FunctionName"].removeprefix("fizzbridge-prod-acme-1-"): f["Properties"][
            "Environment"
        ]["Variables"]
        for path, f in both_ways.resources("AWS::Lambda::Function").items()
        if "acme" in path
    }
    secrets = {
        name: {key for key in variables if key.endswith("_SECRET")}
        for name, variables in environments.items()
    }
    assert secrets == {
        "webhook": {"FIZZBRIDGE_SIGNING_SECRET"},
        # What a platform signs with is given to it when a webhook is made.
        "pull": {"FIZZBRIDGE_API_SECRET", "FIZZBRIDGE_SUBSCRIPTION_SECRET"},
        "target": {"FIZZBRIDGE_API_SECRET"},
    }


def test_the_command_line_finds_its_outputs(both_ways):
    def outputs(stack):
        found = both_ways.templates[stack]["Outputs"]
        return {name for name in found if not name.startswith("ExportsOutput")}

    assert {
        *("TableName", "BucketName", "BusName", "ApiUrl", "AssessQueueUrl", "AssessDlqUrl"),
        *("RecordQueueUrl", "RecordDlqUrl", "AnnounceFunction", "AssessFunction"),
        *("SweepFunction", "DashboardName", "RuleDlqUrl"),
    } <= outputs("fizzbridge-prod-core")
    assert {
        *("WebhookFunction", "WebhookUrl", "PullFunction", "PullQueueUrl", "TargetFunction"),
        *("DocumentsQueueUrl", "LevelsQueueUrl", "DlqUrl", "SigningSecretName", "ApiSecretName"),
    } <= outputs("fizzbridge-prod-acme-1")


def test_the_dashboard_shows_every_connection(aws):
    (dashboard,) = aws.resources("AWS::CloudWatch::Dashboard").values()
    assert dashboard["Properties"]["DashboardName"] == "fizzbridge-prod"
    body = named(dashboard["Properties"]["DashboardBody"], {})
    for connection in ("shop-uk", "erp"):
        for metric in ("received", "rejected", "merged", "tied", "converged", "held", "parked"):
            assert f'"fizzbridge","{metric}","connection","{connection}"' in body
        for statistic in ("p50", "p99"):
            assert f'"age_ms","connection","{connection}",{{"stat":"{statistic}"}}' in body
        assert f'"QueueName","fizzbridge-prod-{connection}-dlq"' in body


def test_what_is_exported_never_changes_with_a_deployment(aws):
    # A changed export is refused while a connection imports it.
    exported = [
        output["Value"]
        for output in aws.templates["fizzbridge-prod-core"]["Outputs"].values()
        if "Export" in output
    ]
    spelt = json.dumps(exported)
    assert "Layer" not in spelt
    assert "Function" not in spelt


def test_cdk_nag_finds_nothing(aws, both_ways):
    for synthesis in (aws, both_ways):
        report = json.loads((synthesis.folder / "validation-report.json").read_text())
        assert not [each["violations"] for each in report["pluginReports"]]


def test_cdk_nag_would_end_the_synth(tmp_path):
    app = App(outdir=str(tmp_path))
    sqs.Queue(Stack(app, "planted"), "WithoutTlsOrDeadLetters")
    check(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = (tmp_path / "validation-report.json").read_text()
    assert "AwsSolutions-SQS4" in report
    assert "Serverless-SQSRedrivePolicy" in report


def test_a_fleet_fits(fleet, record_property, capsys):
    counts = {stack: len(template["Resources"]) for stack, template in fleet.templates.items()}
    assert len(counts) == FLEET + 1
    assert max(counts.values()) < 400
    record_property("seconds", fleet.seconds)
    with capsys.disabled():
        largest = max(counts.values())
        sys.stdout.write(
            f"\n{FLEET} connections: {fleet.seconds:.1f} s, largest stack {largest} resources\n"
        )


def test_a_synth_needs_no_credentials(tmp_path, example):
    done = run_app(tmp_path, {"stage": "prod", "bridge": str(example)})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "fizzbridge-prod-core.template.json").exists()


def test_a_wrong_bridge_file_is_told_in_lines_without_a_trace(tmp_path):
    (tmp_path / "bridge.toml").write_text("[company]\n", encoding="utf-8")
    done = run_app(tmp_path, {"bridge": str(tmp_path / "bridge.toml")})
    assert done.returncode == 1
    assert "company.name: is missing" in done.stderr.splitlines()
    assert "Traceback" not in done.stderr


def test_infra_names_no_platform():
    platforms = [
        path.parent.name for path in (ROOT / "functions/platforms").glob("*/manifest.toml")
    ]
    assert platforms
    for path in (ROOT / "infra").rglob("*.py"):
        if "local" not in path.relative_to(ROOT).parts:
            text = path.read_text(encoding="utf-8").lower()
            assert not [name for name in platforms if name in text], path


def test_what_a_vendor_takes_away_is_a_warning_of_every_synth(both_ways):
    told = "".join(path.read_text() for path in both_ways.folder.glob("*.json"))
    assert "Acme, from 2031-01-01: v3 stops; move to v4" in told
    assert "aws:cdk:warning" in told


def test_a_new_platform_gets_everything(both_ways, snapshot):
    stack = both_ways.templates["fizzbridge-prod-acme-1"]["Resources"]
    kinds: dict[str, list[str]] = {}
    for name, resource in stack.items():
        # Hashes change with content and say nothing of the shape.
        kinds.setdefault(resource["Type"], []).append(name[:-8])
    assert {kind: sorted(names) for kind, names in sorted(kinds.items())} == snapshot


@pytest.mark.parametrize("name", ["a", "Prod", "prod-1", "averylongstagename"])
def test_a_stage_name_that_would_break_resource_names_is_refused(name):
    with pytest.raises(ValueError, match="lower case letters"):
        BridgeStage(name)


def test_templates_never_switch_a_mapping(synthesis):
    # Whoever deploys while a connection is paused would set it going.
    mappings = synthesis.resources("AWS::Lambda::EventSourceMapping")
    assert len(mappings) > 2
    assert not [path for path, one in mappings.items() if "Enabled" in one["Properties"]]
