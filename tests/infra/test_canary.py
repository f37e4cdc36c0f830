"""A canary is there where the bridge file says so, with few rights, and nowhere else."""

from tests.infra.reading import as_list

CORE = "fizzbridge-prod-core"


def named(synthesis, kind, **properties):
    """The properties of the core's resources of a type that have these."""
    return [
        resource["Properties"]
        for path, resource in synthesis.resources(kind).items()
        if path.startswith(f"{CORE}/")
        and all(resource["Properties"].get(name) == value for name, value in properties.items())
    ]


def test_there_is_none_by_itself(both_ways):
    name = "fizzbridge-prod-canary"
    assert not named(both_ways, "AWS::Lambda::Function", FunctionName=name)
    assert not named(both_ways, "AWS::Scheduler::Schedule", Name=name)
    assert not named(both_ways, "AWS::CloudWatch::Alarm", MetricName="canary_missing")


def test_it_is_called_every_minute_and_knows_its_door(with_canary):
    (function,) = named(with_canary, "AWS::Lambda::Function", FunctionName="fizzbridge-prod-canary")
    variables = function["Environment"]["Variables"]
    assert variables["FIZZBRIDGE_SIGNING_SECRET"] == "/fizzbridge/prod/canary/signing"
    assert variables["FIZZBRIDGE_WEBHOOK_URL"]["Fn::Join"][1][-1] == "/webhooks/canary"
    (schedule,) = named(with_canary, "AWS::Scheduler::Schedule", Name="fizzbridge-prod-canary")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"


def test_it_may_read_one_secret_and_keep_its_own_row(with_canary):
    (function,) = named(with_canary, "AWS::Lambda::Function", FunctionName="fizzbridge-prod-canary")
    resources = with_canary.templates[CORE]["Resources"]
    role = resources[function["Role"]["Fn::GetAtt"][0]]
    (policy,) = role["Properties"]["Policies"]
    given = {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
    assert given == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "dynamodb:Query",
        "secretsmanager:GetSecretValue",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    (secret,) = [
        statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
    ]
    assert secret["Fn::Join"][1][-1].endswith(":secret:/fizzbridge/prod/canary/signing-??????")


def test_one_that_is_missing_is_said_within_a_minute(with_canary):
    (alarm,) = named(with_canary, "AWS::CloudWatch::Alarm", MetricName="canary_missing")
    assert alarm["AlarmName"] == f"{CORE}-canary"
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (60, 1, 1)
    assert alarm["Dimensions"] == [{"Name": "connection", "Value": "canary"}]
