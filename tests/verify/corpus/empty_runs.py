"""Runs that hold nothing, or less than they should: they must not pass for runs in which nothing is lost."""

from verify.corpus.base import DOUBLE, GOOD, START, Trick, conftest

BREAKS = GOOD | {"calc.py": GOOD["calc.py"].replace("a + b", "a - b")}
ONLY_CLASSES = "def pytest_collection_modifyitems(items):\n    items[:] = [one for one in items if one.cls]\n"
NOTHING_RAN = (
    "running._judge:nothing-ran bench.believed:raise regression.check:raise",
    "comparison.judge_losses:test-removed",
)
REFACTOR = {
    "tests": ("tests/test_later.py",),
    "options": {"kind": "refactor"},
    "code": "not-green-before",
    "says": "no test was run to its end for: tests/test_later.py",
    "checks": ("proving._on_old_code:not-green-before#2",),
}


def suite(command):
    """The configuration of a project with a suite command of its own."""
    return {"config": {"suite_command": f"python -m pytest {command}"}}


def named(command):
    """A project whose tests run so, with the real baseline: how the canary is named decides what runs."""
    return {
        "config": {"test_command": command},
        "baseline": True,
        "code": "regression",
        "says": "tests/test_calc.py::test_add",
    }


def later(test):
    """A project with a test that runs only when the code has what the candidate adds."""
    return START | {"tests/test_later.py": f"import calc\nimport pytest\nimport unittest\n\n\n{test}"}


TRICKS = [
    # A whole suite that holds no test.
    Trick(
        "a suite that deselects every test by its file",
        GOOD,
        **suite("--deselect tests/test_calc.py --deselect tests/test_double.py"),
        code="nothing-ran",
        says="though there are tests in tests/test_calc.py, tests/test_double.py",
        checks=NOTHING_RAN,
    ),
    Trick(
        "a suite that deselects every test by its name",
        GOOD,
        **suite("-k 'not test_add and not test_double'"),
        code="nothing-ran",
        says="ran no test at all",
    ),
    Trick(
        "a suite that ignores every file",
        GOOD,
        **suite("--ignore tests/test_calc.py --ignore=tests/test_double.py"),
        code="nothing-ran",
        says="ran no test at all",
    ),
    Trick(
        "a conftest of the project's that keeps classes alone",
        GOOD
        | {
            "tests/test_double.py": "import calc\nimport unittest\n\n\nclass TestDouble(unittest.TestCase):\n"
            "    def test_double(self):\n        self.assertEqual(calc.double(4), 8)\n"
        },
        start=conftest(ONLY_CLASSES),
        code="test-removed",
        says="tests/test_calc.py::test_add",
    ),
    Trick(
        "a run cut short by an internal error after the canary",
        GOOD,
        start=conftest(
            "import calc\n\n\ndef pytest_runtest_logfinish(nodeid):\n"
            "    if hasattr(calc, 'double') and 'test_calc' in nodeid:\n        raise RuntimeError('it broke')\n"
        ),
        code="no-report",
        says="pytest met an internal error, its own or a plugin's: RuntimeError: it broke",
    ),
    # What the command says besides its places is no reason to name the canary, which then runs alone.
    Trick("a configuration file in the command", BREAKS, **named("python -m pytest -c pyproject.toml")),
    Trick(
        "a folder in the command that is ignored",
        BREAKS,
        **named("python -m pytest --ignore tests/slow"),
        start={
            "tests/slow/test_slow.py": "def test_slow():\n    assert False\n",
            "tests/test_more.py": "import calc\n\n\ndef test_more():\n    assert calc.add\n",
        },
    ),
    Trick(
        "a folder of the program's own name",
        BREAKS,
        **named("python -m pytest"),
        start={"python/notes.txt": "as python is called\n"},
    ),
    Trick(
        "a folder that is called as an expression is",
        BREAKS,
        **named("python -m pytest -k test"),
        start={"test/notes.txt": "as the expression is called\n"},
    ),
    # A refactor keeps what held before: a test that did not run there held nothing.
    Trick(
        "a refactor shown by a test that is skipped on the old code",
        DOUBLE,
        start=later(
            "@pytest.mark.skipif(not hasattr(calc, 'double'), reason='later')\n"
            "def test_later():\n    assert calc.double(4) == 8\n"
        ),
        **REFACTOR,
    ),
    Trick(
        "a refactor shown by a test that is not there on the old code",
        DOUBLE,
        start=later(
            "if hasattr(calc, 'double'):\n\n    def test_later():\n        assert calc.double(4) == 8\n"
        ),
        **REFACTOR,
    ),
    Trick(
        "a refactor shown by a class whose tests skip themselves on the old code",
        DOUBLE,
        start=later(
            "class TestLater(unittest.TestCase):\n    def test_later(self):\n"
            "        if not hasattr(calc, 'double'):\n            self.skipTest('later')\n"
            "        self.assertEqual(calc.double(4), 8)\n"
        ),
        **REFACTOR,
    ),
]
