import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.verify.commands import find_commands
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.runners.junit import JUnit
from verify.small_facts import FOLDERS, facts, seen

TEST = "core/src/test/java/com/x/FooTest.java"
FILES = {
    TEST: "package com.x;\nimport org.junit.jupiter.api.Test;\nclass FooTest {}\n",
    "core/src/main/java/com/x/FooTest.java": "",
    "spec/foo_spec.rb": "",
    "checks/one.sh": "",
}
RUNNER = JUnit(("target/*.xml",))


def read(*cases: str):
    report = f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()
    return RUNNER.read({"a.xml": report}, facts(FILES), Step(RUNNER, "mvn test"))


def invoked(command: str, files: list[str], tree: dict[str, str] = FILES):
    return RUNNER.invoke(Step(RUNNER, command), files, facts(tree), FOLDERS)


@pytest.mark.parametrize(
    ("case", "test_id"),
    [
        ('<testcase classname="com.x.FooTest" name="adds"/>', f"{TEST}::adds"),
        ('<testcase classname="com.x.FooTest" name="adds(int)[2]"/>', f"{TEST}::adds[2]"),
        ('<testcase classname="com.x.FooTest$Inner" name="adds()"/>', f"{TEST}::Inner::adds"),
        ('<testcase classname="com.y.Other" name="adds"/>', "com.y.Other::adds"),
        (
            '<testcase classname="spec.foo" name="works" file="./spec/foo_spec.rb"/>',
            "spec/foo_spec.rb::spec::foo::works",
        ),
        ('<testcase name="works" file="/w/here/checks/one.sh"/>', "checks/one.sh::works"),
    ],
)
def test_a_case_is_placed_in_its_file(case, test_id):
    found = read(case)
    assert [one.id for one in found] == [test_id]
    assert found[0].file == test_id.partition("::")[0] or found[0].file == ""


def test_of_a_case_told_twice_the_failing_one_counts():
    good = '<testcase classname="com.x.FooTest" name="adds"/>'
    bad = '<testcase classname="com.x.FooTest" name="adds"><failure message="no"/></testcase>'
    assert seen(read(good, bad)) == seen(read(bad, good)) == {f"{TEST}::adds": "failed"}


def test_classes_stand_where_the_command_says_and_the_canary_among_them():
    run = invoked("mvn -q test -Dtest={classes}", [TEST])
    name = run.canaries[0].word
    assert run.command == f"mvn -q test -Dtest=com.x.FooTest,com.x.{name}"
    assert run.canaries[0].path == f"core/src/test/java/com/x/{name}.java"
    assert b"@org.junit.jupiter.api.Test" in run.canaries[0].source
    assert invoked("mvn -q test -Dtest={classes}", []).command.split() == ["mvn", "-q", "test"]


def test_files_stand_where_the_command_says_and_nothing_is_appended_otherwise():
    assert (
        invoked("run {tests} --all", ["spec/foo_spec.rb", "a b.sh"]).command
        == "run spec/foo_spec.rb 'a b.sh' --all"
    )
    assert invoked("run", ["spec/foo_spec.rb"]).command == "run"
    assert invoked("run", ["spec/foo_spec.rb"]).canaries == []


def test_older_junit_has_its_own_canary():
    old = {TEST: "package com.x;\nimport org.junit.Test;\n"}
    assert b"@org.junit.Test\n" in invoked("mvn test", [TEST], old).canaries[0].source


def test_patterns_are_for_commands_nobody_knows():
    config = LoopConfig(test_command="mvn test", junit_reports="target/*.xml\nb/*.xml")
    step = find_commands(facts(FILES), config).test[0]
    assert step.runner == JUnit(("target/*.xml", "b/*.xml"))
    known = find_commands(facts(FILES), LoopConfig(test_command="python -m pytest", junit_reports="x.xml"))
    assert known.test[0].runner.name == "pytest"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (
            "[ERROR] COMPILATION ERROR : \n[ERROR] /w/FooTest.java:[6,9] cannot find symbol\n",
            "cannot find symbol",
        ),
        ("/w/FooTest.java:3: error: package com.y does not exist\n", "package com.y does not exist"),
        ("[ERROR] There are test failures.\n", ""),
    ],
)
def test_a_compiler_that_refuses_the_tests_is_told_from_failing_tests(said, fault):
    found = RUNNER.died_importing(said)
    assert fault in found
    assert bool(found) == bool(fault)
