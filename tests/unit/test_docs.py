"""What the documents say is there: links, files, targets, commands, alarms, generated tables."""

from __future__ import annotations

import ast
import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.main import app
from scripts import demo_table, export_docs, support_matrix
from scripts.generated import ROOT, section, stale, table

RUNBOOKS = ROOT / "docs" / "runbooks"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "functions").rglob("*.md")),
]
CODE = re.compile(
    r"```.*?\n(?P<fenced>.*?)```|^ {4,}(?P<indented>\S.*)$|`(?P<span>[^`\n]+)`", re.M | re.S
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)\)")
FILE = re.compile(r"(?P<path>[\w.-]+(?:/[\w.-]+)+\.(?:py|toml|md|json|svg|csv))")
LOOKED_IN = ("", "layers/common/python", "layers/common/python/fizzbridge")

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def code(document: Path) -> Iterator[str]:
    """Lines of code blocks, and code within sentences."""
    for found in CODE.finditer(document.read_text(encoding="utf-8")):
        yield from (found["fenced"] or found["indented"] or found["span"]).splitlines()


def prose(document: Path) -> str:
    return re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.S)


def anchors(document: Path) -> set[str]:
    """How GitHub names the headings of a document."""
    heads = re.findall(r"^#+ (.+)$", prose(document), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_generated_documents_are_as_the_code_says():
    assert stale(export_docs.files() | support_matrix.files()) == [], "make docs"


@every_document
def test_every_link_within_the_repository_leads_somewhere(document):
    for link in LINK.finditer(prose(document)):
        path, _, anchor = link["to"].partition("#")
        if path.startswith(("http://", "https://")):
            continue
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link["to"]
        assert not anchor or anchor in anchors(target), link["to"]


@every_document
def test_every_file_named_exists(document):
    bases = (document.parent, *map(ROOT.joinpath, LOOKED_IN))
    named = {found["path"] for line in code(document) for found in FILE.finditer(line)}
    missing = {
        path
        for path in named
        if not path.startswith(".local/") and not any((base / path).exists() for base in bases)
    }
    assert missing == set()


@every_document
def test_every_make_target_named_exists(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, flags=re.M))
    named = {
        target
        for line in code(document)
        for words in re.findall(r"\bmake((?: [a-z][a-z0-9-]*)+)", line)
        for target in words.split()
    }
    assert named <= targets


@every_document
def test_every_command_named_exists(document):
    for line in code(document):
        for said in re.findall(r"(?:^|\s)(fizzbridge [^|]+)", line):
            assert_is_command(shlex.split(said.partition(" #")[0])[1:])


def assert_is_command(words: list[str]) -> None:
    command = typer.main.get_command(app)
    common = {option for one in command.params for option in one.opts}
    while words and words[0].startswith("--"):
        assert words.pop(0) in common, words
        words.pop(0)  # its value
    while words and (below := getattr(command, "commands", None)):
        assert words[0] in below, words
        command = below[words.pop(0)]
    known = {option for one in command.params for option in one.opts}
    assert {word for word in words if word.startswith("--")} <= known | common


@pytest.mark.parametrize(
    "wrong",
    ["dlq drain", "dlq list --everything", "halt", "--loud yes status"],
)
def test_a_command_that_is_not_there_is_found(wrong):
    with pytest.raises(AssertionError):
        assert_is_command(wrong.split())


def alarm_names() -> set[str]:
    """The last words of every alarm's name, read from where alarms are made."""
    source = (ROOT / "infra" / "constructs" / "alarms.py").read_text(encoding="utf-8")
    return {
        last_words(node.args[0])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_alarm"
    }


def last_words(name: ast.expr) -> str:
    part = name.values[-1] if isinstance(name, ast.JoinedStr) else name
    assert isinstance(part, ast.Constant)
    return part.value.removeprefix("-")


PROCEDURES = {"restore", "rotate-secret"}
"""Runbooks that no alarm leads to: a person decides."""


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm():
    assert len(alarm_names()) >= 7
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == alarm_names() | PROCEDURES


def test_the_list_of_alarms_is_whole():
    listed = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    missing = [name for name in alarm_names() if f"| `-{name}` | [" not in listed]
    assert missing == []


@pytest.mark.parametrize("runbook", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_how_to_look_what_to_do_and_when_it_is_over(runbook):
    text = runbook.read_text(encoding="utf-8")
    assert f"`...-{runbook.stem}`" in text or runbook.stem in text.splitlines()[0]
    heads = ["What it means", "Look", "Do", "Wake somebody", "Over"]
    assert re.findall(r"^## (.+)$", text, flags=re.M) == heads
    assert "fizzbridge " in text


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_page_with_its_parts_and_is_listed(decision):
    lines = decision.read_text(encoding="utf-8").splitlines()
    number = decision.name[:4]
    assert lines[0].startswith(f"# {number}. ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d · .+ · (one|two)-way door", lines[2])
    heads = [line for line in lines if line.startswith("## ")]
    assert heads == ["## Context", "## Options", "## Decision", "## Consequences"]
    assert len(lines) <= 60
    listed = (decision.parent / "README.md").read_text(encoding="utf-8")
    assert f"- [{lines[0][2:]}]({decision.name})" in listed


def test_decisions_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_picture_is_drawn_for_light_and_dark():
    picture = ET.parse(ROOT / "docs" / "picture.svg").getroot()  # noqa: S314  our own file
    assert picture.get("viewBox")
    assert "prefers-color-scheme: dark" in "".join(picture.itertext())


def test_quick_hooks_need_no_network():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", hooks) == ["local"]


def test_a_section_is_replaced_between_its_markers_only():
    text = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert section(text, "x", "new \\1") == "a\n<!-- x: begin -->\nnew \\1\n<!-- x: end -->\nb\n"
    with pytest.raises(ValueError, match="there must be one"):
        section(text, "y", "new")


def test_a_table_keeps_cells_in_one_line():
    assert table(("a", "b"), [("1\n2", "x|y")]).splitlines()[2] == "| 1 2 | x\\|y |"


def test_every_key_of_the_bridge_file_says_what_it_means():
    text = export_docs.configuration()
    assert (
        "| `calls.per_minute` | whole number | `60` | Calls in any 60 seconds. (at least 1) |"
        in text
    )
    assert "| `from` | list of text | required |" in text
    assert "| `start_at` | time with zone | required |" in text


def test_a_run_with_a_wrong_order_is_no_demo():
    order = dict.fromkeys(demo_table.COLUMNS, "x") | {"seconds": None, "wrong": ""}
    assert "| x | x |" in demo_table.shown({"orders": [order], "took_s": 1.5})
    with pytest.raises(ValueError, match="not where they must be: x"):
        demo_table.shown({"orders": [order | {"wrong": "twice in the ERP"}], "took_s": 1.5})
