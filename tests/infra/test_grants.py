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
    for policy in both_ways.resources("AWS::IAM::ManagedPolicy").values():
        assert not {"Roles", "Users", "Groups"} & set(policy["Properties"]), "of people: see below"
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


PEOPLE = ("reader", "operator", "keyholder")


def of_people(synthesis) -> dict[str, list[dict]]:
    """The statements of the policies people get, by name."""
    return {
        policy["Properties"]["ManagedPolicyName"].rpartition("-")[2]: policy["Properties"][
            "PolicyDocument"
        ]["Statement"]
        for policy in synthesis.resources("AWS::IAM::ManagedPolicy").values()
    }


def actions(statements: list[dict]) -> set[str]:
    assert {one["Effect"] for one in statements} == {"Allow"}
    return {action for one in statements for action in as_list(one["Action"])}


def test_people_get_three_policies_and_no_action_by_wildcard(both_ways):
    found = of_people(both_ways)
    assert set(found) == set(PEOPLE)
    assert not [name for one in found.values() for name in actions(one) if "*" in name]


def test_a_reader_changes_nothing_and_sees_no_secret(both_ways):
    allowed = actions(of_people(both_ways)["reader"])
    changes = re.compile(r":(Put|Update|Delete|Create|Start(?!Query)|Purge|Invoke|Set|Tag|Pass)")
    assert not [action for action in allowed if changes.search(action)]
    assert not [action for action in allowed if action.startswith(("secretsmanager:", "kms:"))]
    sends = [
        arn
        for one in of_people(both_ways)["reader"]
        if "sqs:SendMessage" in as_list(one["Action"])
        for arn in as_list(one["Resource"])
    ]
    assert [str(arn).count("-documents") for arn in sends] == [1], "only where plans are asked for"


def test_an_operator_repairs_and_neither_deploys_nor_destroys(both_ways):
    found = of_people(both_ways)
    allowed = actions(found["operator"])
    assert actions(found["reader"]) < allowed
    services = {action.partition(":")[0] for action in allowed}
    assert not services & {"iam", "lambda", "secretsmanager", "kms", "sts", "apigateway"}
    assert not allowed & {
        *("dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:RestoreTableToPointInTime"),
        *("s3:DeleteObject", "s3:DeleteBucket", "sqs:PurgeQueue", "sqs:DeleteQueue"),
        *("events:PutRule", "events:DeleteRule", "cloudformation:DeleteStack"),
    }


def test_who_sets_secrets_reaches_those_and_what_is_noted_of_connections(both_ways):
    found = of_people(both_ways)["keyholder"]
    assert actions(found) == {
        "cloudformation:DescribeStacks",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
    }
    (rows,) = [one for one in found if "dynamodb:PutItem" in one["Action"]]
    assert rows["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["CONNECTION#*"]}
    }, "what is known of connections, and of no order"


def test_people_reach_what_is_the_stages_only(both_ways):
    """Every resource names the stage, the table, or belongs to an action that takes none."""
    takes_none = re.compile(r"^(cloudformation:Describe|cloudwatch:|logs:(DescribeLogGroups|GetQ))")
    for name, statements in of_people(both_ways).items():
        for one in statements:
            for arn in as_list(one["Resource"]):
                spelt = str(arn)
                if arn == "*":
                    assert all(takes_none.match(each) for each in as_list(one["Action"])), name
                    continue
                lists_rules = as_list(one["Action"]) == ["events:ListRules"]
                assert "prod" in spelt or "Table" in spelt or lists_rules, (name, spelt)
