"""Honest work of every shape a project in Python has; the other languages have files of their own."""

from verify.corpus.base import DOUBLE, DOUBLE_TEST, GOOD, HALF, START, TEST_ADD, Honest, conftest, test_double

CODE = "def add(a, b):\n    return a + b\n"
WITH_DOUBLE = CODE + "\n\ndef double(a):\n    return 2 * a\n"
DOUBLES = "\n\ndef test_double():\n    from {module} import double\n\n    assert double(4) == 8\n"
ADDS = "from {module} import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
PACKAGE = {
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["src"]\n',
    "src/calc/__init__.py": CODE,
    "tests/test_calc.py": ADDS.format(module="calc"),
}
BESIDE = {
    "pyproject.toml": '[tool.pytest.ini_options]\nimport-mode = "importlib"\n',
    "calc/__init__.py": "",
    "calc/sums.py": CODE,
    "calc/test_sums.py": ADDS.format(module="calc.sums"),
}


def part(name):
    """One package of a monorepo, with settings of its own."""
    return {
        f"{name}/pyproject.toml": f'[project]\nname = "{name}"\nversion = "1"\n'
        '[tool.pytest.ini_options]\npythonpath = ["src"]\ntestpaths = ["tests"]\n',
        f"{name}/src/{name}_calc/__init__.py": CODE,
        f"{name}/tests/test_sums.py": ADDS.format(module=f"{name}_calc"),
    }


CLAMP = "def clamp(a):\n    return min(a, {most})\n"
CLAMPED = "from calc import clamp\n\n\ndef test_clamp():\n    assert clamp(20) {says}\n"
TABLE = """
import pytest
from calc import add


@pytest.mark.parametrize(("a", "b", "total"), [(1, 2, 3), (0, 0, 0)])
def test_add(a, b, total):
    assert add(a, b) == total
"""
UNITTEST = """
import unittest

import calc


class TestCalc(unittest.TestCase):
    def setUp(self):
        self.one = 1

    def test_add(self):
        self.assertEqual(calc.add(self.one, 2), 3)
"""
DOCTEST = 'def add(a, b):\n    """Add.\n\n    >>> add(1, 2)\n    3\n    """\n    return a + b\n'

HONEST = [
    Honest("a feature with a test", GOOD),
    Honest(
        "a src layout",
        {"src/calc/__init__.py": WITH_DOUBLE, "tests/test_double.py": DOUBLES.format(module="calc")},
        start=PACKAGE,
        alone=True,
        marks=("weak red",),
    ),
    Honest(
        "tests beside the code",
        {
            "calc/sums.py": WITH_DOUBLE,
            "calc/test_sums.py": BESIDE["calc/test_sums.py"] + DOUBLES.format(module="calc.sums"),
        },
        start=BESIDE,
        alone=True,
        passing=("calc/test_sums.py::test_add",),
        tests=("calc/test_sums.py",),
        marks=("weak red",),
    ),
    Honest(
        "a monorepo of two packages",
        {
            "two/src/two_calc/__init__.py": WITH_DOUBLE,
            "two/tests/test_double.py": DOUBLES.format(module="two_calc"),
        },
        start=part("one") | part("two"),
        alone=True,
        passing=("one/tests/test_sums.py::test_add", "two/tests/test_sums.py::test_add"),
        tests=("two/tests/test_double.py",),
        marks=("weak red",),
    ),
    Honest(
        "a test that needs a file of data",
        {"calc.py": CODE + "\n\ndef total(path):\n    return sum(int(one) for one in open(path))\n"}
        | {"tests/data/numbers.txt": "1\n2\n3\n"}
        | {
            "tests/test_double.py": """
                import pathlib
                import calc

                def test_total():
                    assert hasattr(calc, "total")
                    assert calc.total(pathlib.Path(__file__).parent / "data" / "numbers.txt") == 6
            """
        },
    ),
    Honest(
        "a fixture in a new conftest",
        GOOD
        | conftest("import pytest\n\n\n@pytest.fixture\ndef four():\n    return 4\n")
        | {
            "tests/test_double.py": "import calc\n\n\ndef test_double(four):\n    assert calc.double(four) == 8\n"
        },
        marks=("weak red",),
    ),
    Honest(
        "an older fixture that grows",
        DOUBLE
        | conftest("import pytest\n\n\n@pytest.fixture\ndef numbers():\n    return [1, 2, 4]\n")
        | {
            "tests/test_double.py": "import calc\n\n\ndef test_double(numbers):\n"
            "    assert [calc.double(one) for one in numbers] == [2, 4, 8]\n"
        },
        start=conftest("import pytest\n\n\n@pytest.fixture\ndef numbers():\n    return [1, 2]\n")
        | {
            "tests/test_calc.py": "from calc import add\n\n\ndef test_add(numbers):\n    assert add(*numbers[:2]) == 3\n"
        },
        marks=("weak red",),
    ),
    Honest(
        "generated files",
        {
            "generate.py": "names = ['double', 'triple']\n"
            "for factor, name in enumerate(names, 2):\n"
            "    print(f'def {name}(a):\\n    return {factor} * a\\n')\n",
            "tables.py": "def double(a):\n    return 2 * a\n\ndef triple(a):\n    return 3 * a\n\n",
            "tests/test_double.py": """
                import pathlib
                import subprocess
                import sys

                def test_the_tables_are_as_generated():
                    made = subprocess.run([sys.executable, "generate.py"], capture_output=True, check=True, text=True)
                    assert made.stdout == pathlib.Path("tables.py").read_text()

                def test_double():
                    import tables
                    assert tables.triple(tables.double(1)) == 6
            """,
        },
    ),
    Honest(
        "a module and its test renamed",
        {
            "calc.py": None,
            "sums.py": WITH_DOUBLE,
            "tests/test_calc.py": None,
            "tests/test_sums.py": ADDS.format(module="sums") + DOUBLES.format(module="sums"),
        },
        tests=("tests/test_sums.py",),
        marks=("weak red",),
    ),
    Honest(
        "a test file moved",
        GOOD | {"tests/test_calc.py": None, "tests/sums/test_calc.py": TEST_ADD},
    ),
    Honest(
        "a bug fix whose test only tightens an assertion",
        {"calc.py": CLAMP.format(most=10), "tests/test_calc.py": CLAMPED.format(says="== 10")},
        start={"calc.py": CLAMP.format(most=11), "tests/test_calc.py": CLAMPED.format(says="in (10, 11)")},
        passing=("tests/test_calc.py::test_clamp",),
        tests=("tests/test_calc.py",),
    ),
    Honest(
        "a feature that rightly changes an older test",
        {
            "calc.py": "def add(a, b):\n    return str(a + b)\n",
            "tests/test_calc.py": TEST_ADD.replace("== 3", "== '3'"),
        },
        tests=("tests/test_calc.py",),
    ),
    Honest(
        "a feature that rightly changes the test of another",
        {
            "calc.py": DOUBLE["calc.py"].replace("2 * a", "str(2 * a)") + HALF,
            "tests/test_double.py": DOUBLE_TEST["tests/test_double.py"].replace("== 8", "== '8'"),
            "tests/test_half.py": "import calc\n\n\ndef test_half():\n    assert calc.double(1) == '2'\n",
        },
        earlier=GOOD,
        tests=("tests/test_half.py",),
    ),
    Honest(
        "an expected output that rightly changes",
        {
            "calc.py": "def add(a, b):\n    return f'{a + b}.'\n",
            "tests/expected.txt": "3.\n",
            "tests/test_double.py": "from calc import add\n\n\ndef test_dot():\n    assert add(4, 4) == '8.'\n",
        },
        start={
            "tests/expected.txt": "3\n",
            "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n"
            "    assert str(add(1, 2)) == open('tests/expected.txt').read().strip()\n",
        },
    ),
    Honest(
        "rows and a column added to a table of parameters",
        DOUBLE
        | {
            "tests/test_calc.py": TABLE.replace('"total")', '"total", "twice")')
            .replace("(1, 2, 3), (0, 0, 0)", "(1, 2, 3, 6), (0, 0, 0, 0), (2, 2, 4, 8)")
            .replace("total):", "total, twice):")
            .replace("== total", "== total\n    assert calc.double(total) == twice")
            .replace("import pytest", "import calc\nimport pytest")
        },
        start={"tests/test_calc.py": TABLE},
        passing=("tests/test_calc.py::test_add[1-2-3]", "tests/test_calc.py::test_add[0-0-0]"),
        tests=("tests/test_calc.py",),
        marks=("weak red",),
    ),
    Honest(
        "an older test split in two and put into a class",
        DOUBLE
        | {
            "tests/test_calc.py": "import calc\n\n\ndef test_add():\n    total = calc.add(1, 2)\n    assert total == 3\n\n\n"
            "class TestDouble:\n    def test_double(self):\n        assert calc.double(4) == 8\n"
        },
        tests=("tests/test_calc.py",),
        marks=("weak red",),
    ),
    Honest(
        "classes of unittest",
        DOUBLE
        | {
            "tests/test_calc.py": UNITTEST
            + "\n    def test_double(self):\n        self.assertEqual(calc.double(4), 8)\n"
        },
        start={"tests/test_calc.py": UNITTEST},
        passing=("tests/test_calc.py::TestCalc::test_add",),
        tests=("tests/test_calc.py::TestCalc::test_double",),
        marks=("weak red",),
    ),
    Honest(
        "asynchronous tests of unittest",
        {"calc.py": CODE + "\n\nasync def double(a):\n    return 2 * a\n"}
        | {
            "tests/test_double.py": """
                import unittest
                import calc

                class TestDouble(unittest.IsolatedAsyncioTestCase):
                    async def test_double(self):
                        self.assertEqual(await calc.double(4), 8)
            """
        },
        marks=("weak red",),
    ),
    Honest(
        "asynchronous tests by a plugin",
        {"calc.py": CODE + "\n\nasync def double(a):\n    return 2 * a\n"}
        | {
            "tests/test_double.py": "import calc\n\n\nasync def test_double():\n    assert await calc.double(4) == 8\n"
        },
        start={
            "pyproject.toml": START["pyproject.toml"]
            + 'addopts = "-p pytest_asyncio.plugin"\nasyncio_mode = "auto"\n'
            + 'asyncio_default_fixture_loop_scope = "function"\n'
        },
        marks=("weak red",),
    ),
    Honest(
        "examples in docstrings beside tests",
        {
            "calc.py": DOCTEST
            + '\n\ndef double(a):\n    """Twice.\n\n    >>> double(4)\n    8\n    """\n    return 2 * a\n'
        }
        | DOUBLE_TEST,
        start={
            "calc.py": DOCTEST,
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--doctest-modules"\npythonpath = ["."]\n',
        },
        passing=("tests/test_calc.py::test_add", "calc.py::calc.add"),
    ),
    Honest(
        "a mock of what the feature uses",
        {"calc.py": CODE + "\n\ndef ask():\n    return 1\n\n\ndef twice():\n    return 2 * ask()\n"}
        | {
            "tests/test_double.py": """
                from unittest.mock import patch
                import calc

                def test_twice(monkeypatch):
                    assert hasattr(calc, "twice")
                    monkeypatch.setattr(calc, "ask", lambda: 21)
                    assert calc.twice() == 42
                    with patch("calc.ask") as asked:
                        calc.twice()
                    asked.assert_called_once_with()
            """
        },
    ),
    Honest(
        "a bug fix whose test only runs what crashed",
        {"calc.py": "def mean(all):\n    return sum(all) / len(all) if all else 0\n"}
        | {"tests/test_double.py": "from calc import mean\n\n\ndef test_nothing():\n    mean([])\n"},
        start={
            "calc.py": "def mean(all):\n    return sum(all) / len(all)\n",
            "tests/test_calc.py": "from calc import mean\n\n\ndef test_add():\n    assert mean([1, 3]) == 2\n",
        },
    ),
    Honest(
        "a test that prints much",
        DOUBLE
        | test_double(
            "with capfd.disabled():",
            "    for _ in range(300):",
            "        print('x' * 100_000)",
            "assert calc.double(4) == 8",
        )
        | {
            "tests/test_double.py": "import calc\n\n\ndef test_double(capfd):\n    with capfd.disabled():\n"
            "        for _ in range(100):\n            print('x' * 1_000_000)\n    assert hasattr(calc, 'double')\n"
        },
    ),
    Honest(
        "a feature that knows of tests by its name",
        GOOD
        | {
            "testing.py": '"""Helpers for tests with pytest."""\n\nimport sys\n\nNAMES = ["test_a", sys.argv[0]]\n'
        },
    ),
    Honest(
        "a program with a command that is called test",
        {
            "calc.py": DOUBLE["calc.py"]
            + "\n\ndef main():\n    import sys\n\n    return sys.argv[1] == 'test'\n"
        }
        | DOUBLE_TEST,
    ),
    Honest(
        "a helper for tests that imported its runner before, and one more beside it",
        GOOD
        | {
            "kit/testing_sums.py": "import pytest\n\n\ndef sums():\n    return pytest.approx(3)\n",
            "kit/testing_doubles.py": "import pytest\n\n\ndef doubles():\n    return pytest.approx(8)\n",
        },
        start={"kit/testing_sums.py": "import pytest\n"},
    ),
    Honest(
        "a plugin of pytest",
        GOOD | {"plugin.py": "import pytest\n\n\n@pytest.fixture\ndef eight():\n    return 8\n"},
        start={
            "pyproject.toml": START["pyproject.toml"]
            + '[project]\nname = "calc"\nversion = "1"\n[project.entry-points.pytest11]\ncalc = "plugin"\n'
        },
    ),
    Honest(
        "a base class for tests of unittest, in the product",
        GOOD | {"testing.py": "import unittest\n\n\nclass Case(unittest.TestCase):\n    maxDiff = None\n"},
    ),
    Honest(
        "types of the runner's own in a conftest",
        GOOD
        | conftest(
            """
                import pytest
                from _pytest.monkeypatch import MonkeyPatch


                @pytest.fixture
                def quiet(monkeypatch: MonkeyPatch, request):
                    monkeypatch.setenv("QUIET", request.node.name)


                def pytest_configure(config):
                    config.addinivalue_line("markers", "slow: takes its time")
            """
        ),
    ),
    Honest(
        "a link among the project's files",
        GOOD,
        by_hand="mkdir -p docs && ln -s ../calc.py docs/example.py",
    ),
    Honest(
        "files that are no Python of ours, and long chains",
        GOOD
        | {
            "tests/data/old.py": "print 'of another Python'\n",
            "tests/data/half.js": "it('never ends', () => {\n",
            "chain.py": "def query(a):\n    return a" + ".more()" * 400 + "\n",
            "key.py": f"KEY = 0x{'f' * 5_000}\nSUM = 1{' + 1' * 500}\n",
        },
    ),
]
