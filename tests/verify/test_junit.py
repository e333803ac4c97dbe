"""Commands nobody knows that leave JUnit XML: real Maven, and a runner made of a few lines of shell."""

import pytest

from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

# A test is a shell script; each leaves a report.
RUNNER = """
    mkdir -p reports
    for one in tests/*.sh; do
      name=$(basename "$one" .sh)
      if said=$(sh "$one" 2>&1); then fault=; else fault="<failure message='$said'/>"; fi
      printf '<testsuite><testcase classname="checks" file="%s" name="%s">%s</testcase></testsuite>' \\
        "$one" "$name" "$fault" >"reports/$name.xml"
    done
"""
START = {
    "run.sh": RUNNER,
    "value": "1\n",
    "tests/there.sh": "test -s value || { echo empty; exit 1; }\n",
    ".gitignore": "reports\n",
}
DOUBLE = {"value": "2\n"}
DOUBLE_TEST = {"tests/two.sh": "grep -q 2 value || { echo not two; exit 1; }\n"}


@pytest.fixture
def shell(world, configured):
    configured(test_command="sh run.sh", junit_reports="reports/*.xml", detect_gates=False)
    return world


async def test_cases_of_every_report_are_counted_and_the_missing_canary_is_marked(shell):
    await shell.start_with_baseline(START)
    assert shell.baseline.passed == 1
    verdict = await shell.submit(DOUBLE | DOUBLE_TEST, "tests/two.sh")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.marks == ("no canary",)
    assert proof.red.failing == ("tests/two.sh::checks::two",)
    assert proof.green.counts.executed == 1
    assert set(proof.regression.passed) == {"tests/there.sh::checks::there", "tests/two.sh::checks::two"}


async def test_a_regression_is_refused_by_name(shell):
    await shell.start_with_baseline(START)
    verdict = await shell.submit(
        {"value": "", "tests/empty.sh": "test ! -s value || { echo full; exit 1; }\n"}, "tests/empty.sh"
    )
    assert codes(verdict) == ["regression"]
    assert "tests/there.sh" in verdict.reasons[0].text


async def test_a_report_left_over_from_before_is_not_read(shell):
    # This runner writes nothing of a test that breaks off: its report of the run before would stand for it.
    breaking = RUNNER.replace('fault="<failure', 'rc=$?; [ $rc = 3 ] && continue; fault="<failure')
    await shell.start_with_baseline(
        START | {"run.sh": breaking, "tests/there.sh": "test -s value || exit 3\n"}
    )
    verdict = await shell.submit(
        {"value": "", "tests/empty.sh": "test ! -s value || { echo full; exit 1; }\n"}, "tests/empty.sh"
    )
    assert codes(verdict) == ["test-removed"]
    assert "tests/there.sh" in verdict.reasons[0].text


async def test_a_command_that_leaves_no_report_is_refused_even_where_exit_codes_count(shell, configured):
    configured(test_command="true", junit_reports="reports/*.xml", accept_exit_code=True, detect_gates=False)
    await shell.start(START, passing=())
    assert codes(await shell.submit(DOUBLE | DOUBLE_TEST, "tests/two.sh")) == ["no-report"]


async def test_a_report_that_is_no_junit_xml_is_refused(shell):
    await shell.start(START, passing=())
    broken = {"run.sh": 'mkdir -p reports; echo "<html/>" >reports/all.xml\n'}
    verdict = await shell.submit(DOUBLE | DOUBLE_TEST | broken, "tests/two.sh")
    assert not verdict.accepted


async def test_a_command_says_where_files_go(world, configured):
    runner = RUNNER.replace("tests/*.sh", "${*:-tests/*.sh}")
    configured(test_command="sh run.sh {tests}", junit_reports="reports/*.xml", detect_gates=False)
    await world.start_with_baseline(START | {"run.sh": runner})
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/two.sh")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.regression.counts.executed == 2


POM = """
    <project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <groupId>com.example</groupId>
      <artifactId>demo</artifactId>
      <version>1</version>
      <properties>
        <maven.compiler.source>17</maven.compiler.source>
        <maven.compiler.target>17</maven.compiler.target>
        <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
      </properties>
      <dependencies>
        <dependency>
          <groupId>junit</groupId>
          <artifactId>junit</artifactId>
          <version>4.x</version>
          <scope>test</scope>
        </dependency>
      </dependencies>
    </project>
"""
MAIN, TEST = "src/main/java/com/example", "src/test/java/com/example"
ADD = "public static int add(int a, int b) { return a + b; }"
DOUBLED = "public static int twice(int a) { return 2 * a; }"


def java_class(*methods: str) -> str:
    return "package com.example;\n\npublic class Calc {\n" + "\n".join(methods) + "\n}\n"


def java_test(name: str, method: str, body: str) -> str:
    return (
        "package com.example;\n\nimport static org.junit.Assert.assertEquals;\nimport org.junit.Test;\n\n"
        f"public class {name} {{\n    @Test\n    public void {method}() {{\n        {body}\n    }}\n}}\n"
    )


JAVA = {
    ".gitignore": "target\n",
    "pom.xml": POM,
    f"{MAIN}/Calc.java": java_class(ADD),
    f"{TEST}/CalcTest.java": java_test("CalcTest", "adds", "assertEquals(3, Calc.add(1, 2));"),
}
ADDS = (f"{TEST}/CalcTest.java::adds",)


MAVEN = "MAVEN_OPTS=-XX:TieredStopAtLevel=1 mvn -q -B -s /etc/maven/settings-debian.xml -DforkCount=0 test"


@pytest.fixture
def maven(world, configured):
    """Debian's Maven with Debian's own repository: it asks no network."""
    configured(
        test_command=f"{MAVEN} -DfailIfNoTests=false -Dtest={{classes}}",
        junit_reports="target/surefire-reports/*.xml",
        detect_gates=False,
        test_timeout_s=120,
    )
    return world


async def test_mavens_tests_are_told_by_their_class_and_a_canary_sings_among_them(maven):
    await maven.start(JAVA, passing=ADDS)
    test = java_test("TwiceTest", "doubles", "assertEquals(8, Calc.twice(4));")
    files = {f"{MAIN}/Calc.java": java_class(ADD, DOUBLED), f"{TEST}/TwiceTest.java": test}
    verdict = await maven.submit(files, f"{TEST}/TwiceTest.java")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)
    assert "cannot find symbol" in verdict.proof.red.excerpt
    assert verdict.proof.green.passed == (f"{TEST}/TwiceTest.java::doubles",)
    assert set(verdict.proof.regression.passed) == {*ADDS, f"{TEST}/TwiceTest.java::doubles"}


async def test_a_forged_report_in_place_of_mavens_has_no_canary(maven):
    await maven.start(JAVA, passing=ADDS)
    test = java_test("TwiceTest", "doubles", "assertEquals(9, Calc.twice(4));")
    forged = '<testsuite><testcase classname="com.example.TwiceTest" name="doubles"/></testsuite>'
    copied = (
        "<testResource><directory>docs</directory><targetPath>../surefire-reports</targetPath></testResource>"
    )
    build = f"<build><testResources>{copied}</testResources></build>\n    </project>"
    files = {
        f"{MAIN}/Calc.java": java_class(ADD, DOUBLED),
        f"{TEST}/TwiceTest.java": test,
        "docs/TEST-com.example.TwiceTest.xml": forged,
        "pom.xml": POM.replace("<properties>", "<properties><skipTests>true</skipTests>").replace(
            "</project>", build
        ),
    }
    verdict = await maven.submit(files, f"{TEST}/TwiceTest.java")
    assert codes(verdict) == ["canary"]
