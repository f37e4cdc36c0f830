"""The options all commands share, errors, and completion."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from typer.testing import CliRunner

from cli.main import app
from cli.stack import CommandError
from cli.tool import sentence
from fizzbridge.state import TableUnavailableError
from fizzbridge.state.objects import ObjectsUnavailableError


def test_a_stage_that_is_not_there_is_one_line(fizzbridge):
    for arguments in (("--stage", "prod", "status"), ("status", "--stage", "prod")):
        ran = fizzbridge(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == ("Error: Nothing is deployed as fizzbridge-prod-core in this account.\n")


def test_the_stage_may_come_from_the_environment(fizzbridge, monkeypatch):
    monkeypatch.setenv("FIZZBRIDGE_STAGE", "prod")
    assert "fizzbridge-prod-core" in fizzbridge("status").err


def test_json_may_stand_before_or_after_the_command(fizzbridge):
    before, after = fizzbridge("--json", "status"), fizzbridge("status", "--json")
    assert before.data == after.data
    assert before.data["stage"] == "test"


def test_a_usage_error_is_exit_code_two(fizzbridge):
    assert fizzbridge("map", "set", "erp").code == 2
    assert fizzbridge("nonsense").code == 2


REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem")


def because(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CommandError("Say which."), "Say which."),
        (NoCredentialsError(), "No AWS credentials found. Log in, or set AWS_PROFILE."),
        (NoRegionError(), "No AWS region is set. Set AWS_REGION."),
        (ObjectsUnavailableError("x"), "The bucket does not answer. Try again in a moment."),
        (TableUnavailableError("x"), "The state table does not answer. Try again in a moment."),
        (
            ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "GetItem"),
            "AWS answered Throttling: slow",
        ),
        (REFUSED, "You may not do this ('Who may do what' in docs/operate.md): no"),
        (
            because(TableUnavailableError("AccessDeniedException"), REFUSED),
            "You may not do this ('Who may do what' in docs/operate.md): no",
        ),
        (
            because(ObjectsUnavailableError("get_object"), REFUSED),
            "You may not do this ('Who may do what' in docs/operate.md): no",
        ),
    ],
)
def test_errors_are_sentences(error, told):
    assert sentence(error) == told


def test_names_of_connections_are_completed(stack):
    def complete(words):
        asked = {"_FIZZBRIDGE_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words}
        runner = CliRunner(env=asked)
        return runner.invoke(app, prog_name="fizzbridge", obj=lambda stage: stack).stdout

    assert "shop-uk" in complete("fizzbridge secrets set sh")
    assert "erp" not in complete("fizzbridge secrets set sh")
    assert "erp" in complete("fizzbridge resync --connection ")


def test_completion_is_silent_without_a_stack():
    def missing(stage):
        raise CommandError("no stack")

    asked = {
        "_FIZZBRIDGE_COMPLETE": "complete_zsh",
        "_TYPER_COMPLETE_ARGS": "fizzbridge map list e",
    }
    result = CliRunner(env=asked).invoke(app, prog_name="fizzbridge", obj=missing)
    assert "no stack" not in result.output
