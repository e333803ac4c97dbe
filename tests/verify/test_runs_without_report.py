"""Commands that leave no report: counted by their exit code where that is allowed, or told what to do."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from autonomous_loop.errors import ConfigurationError
from verify.proof_world import DOUBLE, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")


def unittest(name, check):
    """A test file for `python -m unittest`."""
    head = f"import unittest\n\nimport calc\n\n\nclass Test{name.title()}(unittest.TestCase):\n"
    body = f"    def test_{name}(self):\n        self.assertEqual({check})\n"
    return {f"tests/test_{name}.py": head + body}


PROJECT = {"calc.py": START["calc.py"], "tests/__init__.py": ""} | unittest("add", "calc.add(1, 2), 3")
GOOD = DOUBLE | unittest("double", "calc.double(4), 8")
BROKEN = GOOD | {"calc.py": DOUBLE["calc.py"].replace("a + b", "a - b")}


@pytest.mark.parametrize("suite", ["python -m unittest discover", "python -m unittest discover tests"])
async def test_the_canary_does_not_fail_what_counts_by_its_exit_code(world, configured, suite):
    configured(test_command="python -m unittest", suite_command=suite, accept_exit_code=True)
    await world.start_with_baseline(PROJECT)
    assert world.baseline.passed == 1
    assert codes(await world.submit(BROKEN, "tests/test_double.py")) == ["regression"]
    verdict = await world.submit(GOOD, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("by exit code",)


async def test_an_unknown_command_is_told_how_its_report_is_found(world, configured):
    configured(test_command="python -m unittest")
    with pytest.raises(ConfigurationError) as refused:
        await world.start_with_baseline(PROJECT)
    for name in ("junit-reports", "AUTONOMOUS_LOOP_JUNIT", "accept-exit-code", "The end of its output"):
        assert name in refused.value.message


async def test_patterns_that_match_no_report_are_named(world, configured):
    configured(test_command="python -m unittest", junit_reports=("out/*.xml",))
    with pytest.raises(ConfigurationError, match="No file that junit-reports names was written"):
        await world.start_with_baseline(PROJECT)


@pytest.fixture
def closed():
    """A program below a home folder of mode 0700."""
    with TemporaryDirectory(prefix="home-") as home:
        program = Path(home, "venv", "bin", "python")
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        yield program


async def test_a_virtual_environment_that_is_closed_to_the_hands_names_the_setting(world, configured, closed):
    configured(test_command=f"{closed} -m pytest")
    with pytest.raises(ConfigurationError) as refused:
        await world.start_with_baseline(START)
    text = refused.value.message
    assert f"Name {closed.parent.parent} in the environment variable AUTONOMOUS_LOOP_HANDS_READABLE" in text
