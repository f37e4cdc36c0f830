"""Secrets are set and never shown."""

import json

import pytest

from fizzbridge.runtime.watch import EXPIRES

OLD, NEW, NEWEST = "shpss_old", "shpss_new", "shpss_newest"


def stored(stack, name):
    return json.loads(
        stack.secrets.get_secret_value(SecretId=f"/fizzbridge/test/{name}")["SecretString"]
    )


def test_a_new_signing_secret_keeps_the_last_one_active(fizzbridge, stack):
    for value in (OLD, NEW, NEWEST):
        assert fizzbridge("secrets", "set", "shop-uk", f"active={value}").code == 0
    assert stored(stack, "shop-uk/signing") == {"active": [NEWEST, NEW]}


def test_setting_the_same_signing_secret_again_keeps_the_old_one(fizzbridge, stack):
    for value in (OLD, NEW, NEW):
        fizzbridge("secrets", "set", "shop-uk", f"active={value}")
    assert stored(stack, "shop-uk/signing") == {"active": [NEW, OLD]}


def test_replace_drops_the_old_signing_secret(fizzbridge, stack):
    fizzbridge("secrets", "set", "shop-uk", f"active={OLD}")
    fizzbridge("secrets", "set", "shop-uk", f"active={NEW}", "--replace")
    assert stored(stack, "shop-uk/signing") == {"active": [NEW]}


def test_keys_of_an_api_secret_are_set_one_by_one(fizzbridge, stack):
    fizzbridge("secrets", "set", "erp", "api_key=k1", "login=bot")
    fizzbridge("secrets", "set", "erp", "api_key=k2=")
    assert stored(stack, "erp/api") == {"api_key": "k2=", "login": "bot"}


def test_one_call_sets_both_secrets_and_says_names_only(fizzbridge):
    ran = fizzbridge("secrets", "set", "shop-uk", f"active={NEW}", "access_token=shpat_1", "--json")
    assert ran.data == {
        "connection": "shop-uk",
        "set": {
            "/fizzbridge/test/shop-uk/api": ["access_token"],
            "/fizzbridge/test/shop-uk/signing": ["active"],
        },
    }
    assert NEW not in ran.out + ran.err


def test_values_come_from_a_pipe(fizzbridge, stack):
    ran = fizzbridge("secrets", "set", "erp", "--stdin", typed="api_key=k=1\n\nlogin=bot\n")
    assert ran.code == 0
    assert stored(stack, "erp/api") == {"api_key": "k=1", "login": "bot"}


@pytest.mark.parametrize("named", [(), ("api_key", "login")])
def test_what_has_no_value_is_asked_for_and_not_echoed(fizzbridge, stack, named):
    ran = fizzbridge("secrets", "set", "erp", *named, "--json", typed="hidden-1\nhidden-2\n")
    assert stored(stack, "erp/api") == {"api_key": "hidden-1", "login": "hidden-2"}
    assert ran.data["connection"] == "erp"
    assert "hidden" not in ran.out + ran.err


def test_enter_passes_over_a_key_of_which_the_platform_takes_another(fizzbridge, stack):
    ran = fizzbridge("secrets", "set", "shop-uk", typed="shpss_1\nshpat_1\n\n\n")
    assert ran.code == 0
    assert stored(stack, "shop-uk/api") == {"access_token": "shpat_1"}
    assert "Enter" in ran.err
    nothing = fizzbridge("secrets", "set", "erp", typed="\n\n")
    assert nothing.code == 1
    assert "nothing was set" in nothing.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("erp", "api_kee=x"), "'erp' has no secret 'api_kee'; did you mean 'api_key'?"),
        (("erp", "api_key="), "'api_key' is empty; nothing was set."),
        (("erb", "api_key=x"), "There is no connection 'erb' in test. Known: erp, shop-uk."),
    ],
)
def test_mistakes_are_one_line(fizzbridge, stack, arguments, told):
    ran = fizzbridge("secrets", "set", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1
    assert stack.secrets.get_secret_value(SecretId="/fizzbridge/test/erp/api")["SecretString"] == (
        "as generated"
    )


def test_a_pipe_without_names_is_refused(fizzbridge):
    ran = fizzbridge("secrets", "set", "erp", "--stdin", typed="k1\n")
    assert ran.code == 1
    assert "NAME=VALUE" in ran.err


def test_the_day_a_key_ends_is_kept_until_the_key_is_renewed(fizzbridge, stack):
    fizzbridge("secrets", "set", "erp", "api_key=k1", "login=bot", "--expires", "2027-11-20")
    listed = {row["sk"]: row["until"] for row in stack.table.query("CONNECTION#erp", EXPIRES)}
    assert listed == dict.fromkeys(
        ("EXPIRES#api_key", "EXPIRES#login"), "2027-11-20T00:00:00.000000Z"
    )
    fizzbridge("secrets", "set", "erp", "api_key=k2")
    (kept,) = stack.table.query("CONNECTION#erp", EXPIRES)
    assert kept["sk"] == "EXPIRES#login"


def test_a_day_that_is_none_is_refused_before_anything_is_set(fizzbridge, stack):
    ran = fizzbridge("secrets", "set", "erp", "api_key=k1", "--expires", "soon")
    assert ran.code == 2
    assert stack.table.query("CONNECTION#erp", EXPIRES) == []
