"""Functions may do what ``grants.py`` lists with a reason, and nothing else."""

import json
import re

from tests.infra.grants import NOTICED, SOME, TEMPLATE_ONLY, Grant
from tests.infra.reading import as_list, named

# How templates spell what the lists call by a plain name.
SPELLINGS = (
    (r"^<(?:Table\w+|OutputFnGetAttTable\w+Arn\w+)>(.*)$", r"table\1"),
    (r"^<Table\w+\.StreamArn>$", "table/stream"),
    (r"^<fizzbridge-prod-bus>$", "bus"),
    (r"^<Bus\w+>$", "bus"),
    (r"^arn:.*:s3:::fizzbridge-prod-<AWS::AccountId>-<AWS::Region>(/\*)?$", r"bucket\1"),
    (r"^<fizzbridge-prod-(?:acme-1-)?([\w-]+)>$", r"queue \1"),
    (r"^arn:.*:sqs:.*:fizzbridge-prod-\*$", "queue *"),
    (r"^arn:.*:secret:/fizzbridge/prod/acme-1/(signing|api)-\?{6}$", r"secret \1"),
    (r"^arn:.*:logs:.*:log-group:/aws/lambda/fizzbridge-prod-\*$", "logs of all functions"),
    (r"^<\w*Logs\w*>$", "own log group"),
    (r"^arn:.*:event-source-mapping:\*$", "mappings of own functions"),
)


def plain(spelt: str) -> str:
    for pattern, name in SPELLINGS:
        if re.match(pattern, spelt):
            return re.sub(pattern, name, spelt)
    return spelt


def granted(synthesis) -> list[Grant]:
    found = []
    for path, function in synthesis.resources("AWS::Lambda::Function").items():
        resources = synthesis.templates[path.split("/")[0]]["Resources"]
        name = function["Properties"]["FunctionName"].removeprefix("fizzbridge-prod-")
        role = resources[function["Properties"]["Role"]["Fn::GetAtt"][0]]
        assert "ManagedPolicyArns" not in role["Properties"]
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                found += [
                    Grant(name.removeprefix("acme-1-"), action, plain(named(arn, resources)))
                    for action in as_list(statement["Action"])
                    for arn in as_list(statement["Resource"])
                    if statement["Effect"] == "Allow"
                ]
    return found


def test_each_function_may_do_what_is_listed_and_nothing_else(both_ways):
    found = granted(both_ways)
    assert len(found) == len(set(found)), "granted twice"
    assert set(found) == set(NOTICED) | set(SOME) | set(TEMPLATE_ONLY)
    assert not set(NOTICED) & set(TEMPLATE_ONLY)


def test_rights_are_in_roles_only(both_ways):
    # A policy attached from outside a role would escape the list above.
    assert not both_ways.resources("AWS::IAM::Policy")
    assert not both_ways.resources("AWS::IAM::ManagedPolicy")
    assert not both_ways.resources("AWS::IAM::User")


def test_every_right_has_a_reason():
    assert all(reason for reason in (NOTICED | SOME | TEMPLATE_ONLY).values())


def test_only_listing_actions_take_every_resource(both_ways):
    assert {grant.action for grant in granted(both_ways) if grant.resource == "*"} == {
        "dynamodb:ListStreams",
        "lambda:ListEventSourceMappings",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }


def test_only_mappings_of_the_bridges_own_functions_may_be_switched(both_ways):
    (statement,) = [
        statement
        for role in both_ways.resources("AWS::IAM::Role").values()
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:UpdateEventSourceMapping"
    ]
    (condition,) = statement["Condition"].values()
    assert json.dumps(condition["lambda:FunctionArn"]).endswith(':function:fizzbridge-prod-*"]]}')


def test_schedules_may_call_their_target_and_leave_what_fails(both_ways):
    for path, role in both_ways.resources("AWS::IAM::Role").items():
        properties = role["Properties"]
        statement = properties["AssumeRolePolicyDocument"]["Statement"][0]
        if statement["Principal"]["Service"] != "scheduler.amazonaws.com":
            continue
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"], path
        (policy,) = properties["Policies"]
        actions = [each["Action"] for each in policy["PolicyDocument"]["Statement"]]
        assert actions in (
            ["sqs:SendMessage", "sqs:SendMessage"],
            ["lambda:InvokeFunction", "sqs:SendMessage"],
        ), path
