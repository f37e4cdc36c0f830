"""What tests counted, read from their reports."""

from __future__ import annotations

from scripts.reliability import counted, read_report, results

REPORT = """<testsuites><testsuite>
<testcase classname="tests.faults.test_a" name="test_f05_nothing_is_lost[1]">
  <properties>
    <property name="level" value="in-process" /><property name="lost" value="0" />
    <property name="deliveries" value="30" /><property name="load" value="1 a second" />
  </properties>
</testcase>
<testcase classname="tests.faults.test_a" name="test_f05_nothing_is_lost[50]">
  <properties>
    <property name="level" value="in-process" /><property name="lost" value="2" />
    <property name="deliveries" value="1500" /><property name="load" value="50 a second" />
  </properties>
  <failure message="two are gone">...</failure>
</testcase>
<testcase classname="tests.faults.test_b" name="test_f06_late"><skipped message="why" /></testcase>
</testsuite></testsuites>"""


def test_cases_of_a_test_are_added_up(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    first, second = read_report(report)
    assert first.name == "test_f05_nothing_is_lost"
    assert dict(first.figures) == {"lost": 2, "deliveries": 1530}
    assert dict(first.words) == {
        "level": ["in-process"],
        "load": ["1 a second", "50 a second"],
    }
    assert (dict(second.figures), dict(second.words)) == ({}, {})
    assert results([first, second]) == "1 failure, 1 passed, 1 skipped"
    assert counted(first.figures, {}) == "lost 2; deliveries 1,530"
    assert counted({}, {"drain_share": ["0.960"]}) == "drain share 0.960"
