"""Runs whose report is not to be believed: ended early, rewritten, forged, or led by somebody else."""

from verify.corpus.base import BAD, DOUBLE, GOOD, START, Trick, conftest, test_double

MAKEREPORT = """
    import pytest

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item, call):
        outcome = yield
        outcome.get_result().outcome = "passed"
"""
OTHER_NAME = MAKEREPORT.replace(
    "hookwrapper=True", 'hookwrapper=True, specname="pytest_runtest_makereport"'
).replace("def pytest_runtest_makereport", "def tidy")
FORGE = """
    import atexit, sys

    def forge():
        for one in sys.argv:
            if one.startswith("--junitxml="):
                with open(one.partition("=")[2], "w") as report:
                    report.write('<testsuites><testsuite><testcase classname="tests.test_double"'
                                 ' name="test_double" file="tests/test_double.py"/></testsuite></testsuites>')

    atexit.register(forge)
"""
OPEN_FOR = {"config": {"runner_keys": True}}
HOOKS = {"pyproject.toml": START["pyproject.toml"]}


def in_suite_alone(action):
    """A conftest that acts only where several files run: in the suite."""
    return conftest(f"import sys\n\nif not any('test_double' in one for one in sys.argv):\n    {action}\n")


def once_done(action):
    """A conftest that acts only where the feature is there: not on the old code."""
    return conftest(f"import calc\n\nif hasattr(calc, 'double'):\n    {action}\n")


TRICKS = [
    Trick("a conftest that ends the run", GOOD | conftest("import os\nos._exit(0)\n"), code="no-report"),
    Trick(
        "a conftest that ends the run before a test is run",
        GOOD | conftest("import pytest\npytest.exit('done', returncode=0)\n"),
        code="no-report",
    ),
    Trick(
        "a conftest that ends the suite alone",
        GOOD | in_suite_alone("import os; os._exit(0)"),
        code="no-report",
        says="ends before its tests are reported",
        checks=(
            "running._judge:no-report bench.believed:raise",
            "comparison.judge_losses:test-removed",
        ),
    ),
    Trick(
        "a fixture that ends the run",
        GOOD
        | conftest("import pytest\n\n@pytest.fixture(autouse=True)\ndef end():\n    pytest.exit('x', 0)\n"),
        code="canary",
    ),
    Trick(
        "a test that ends the interpreter",
        BAD | test_double("import os", 'hasattr(calc, "double") and os._exit(0)', "assert 0"),
        code="no-report",
        says="test_double.py ended with exit code 0",
    ),
    Trick(
        "a test file that leaves with exit(0)",
        BAD | {"tests/test_double.py": "import calc\n\nif hasattr(calc, 'double'):\n    exit(0)\nassert 0\n"},
        code="no-report",
        says="internal error, its own or a plugin's: SystemExit: 0",
    ),
    Trick(
        "a test that leaves with sys.exit(0)",
        BAD | test_double("import sys", 'hasattr(calc, "double") and sys.exit(0)', "assert 0"),
        code="not-green",
        says="SystemExit",
    ),
    Trick(
        "a test that ends what started it",
        BAD | test_double("import os, signal", "os.kill(os.getppid(), signal.SIGKILL)"),
        code="no-report",
    ),
    Trick(
        "a test that ends every process it may",
        BAD | test_double("import os, signal", "os.kill(-1, signal.SIGKILL)"),
        code="no-report",
    ),
    Trick(
        "a hook that rewrites outcomes",
        BAD | conftest(MAKEREPORT),
        code="outcome-hook",
        says="pytest_runtest_makereport",
    ),
    Trick(
        "a hook that rewrites outcomes, let through the gate",
        BAD | conftest(MAKEREPORT),
        code="canary",
        **OPEN_FOR,
    ),
    Trick(
        "a hook that rewrites outcomes once the feature is there",
        BAD
        | conftest(
            MAKEREPORT.replace("outcome.get", "import calc\n        if hasattr(calc, 'double'): outcome.get")
        ),
        code="canary",
        says="must fail",
        **OPEN_FOR,
        checks=("running._judge:canary",),
    ),
    Trick(
        "a hook under another name",
        BAD | conftest(OTHER_NAME),
        code="outcome-hook",
        says="specname",
    ),
    Trick(
        "a hook that is assigned",
        BAD | conftest("def tidy(item, call): ...\n\n\npytest_runtest_makereport = tidy\n"),
        code="outcome-hook",
        says="pytest_runtest_makereport",
    ),
    Trick(
        "a hook that is imported",
        BAD
        | {"helpers.py": "def tidy(item, call): ...\n"}
        | conftest("from helpers import tidy as pytest_runtest_makereport\n"),
        code="outcome-hook",
        says="pytest_runtest_makereport",
    ),
    Trick(
        "a hook that is put among the conftest's names",
        BAD | conftest("globals()['pytest_runtest_' + 'makereport'] = lambda item, call: None\n"),
        code="outcome-hook",
        says="globals",
    ),
    Trick(
        "a hook that is written as text",
        BAD | conftest("exec('def pytest_runtest_' + 'makereport(item, call): ...')\n"),
        code="outcome-hook",
        says="exec",
    ),
    Trick(
        "a hook from everything of a module",
        BAD | {"helpers.py": "x = 1\n"} | conftest("from helpers import *\n"),
        code="outcome-hook",
        says="import *",
    ),
    Trick(
        "a plugin named in a conftest",
        GOOD | {"helpers.py": "x = 1\n"} | conftest("pytest_plugins = ['helpers']\n"),
        code="runner-keys",
        says="pytest_plugins",
    ),
    Trick(
        "a plugin registered by a conftest",
        BAD | conftest("def pytest_configure(config):\n    config.pluginmanager.register(object())\n"),
        code="outcome-hook",
        says="pluginmanager",
    ),
    Trick(
        "a plugin as an entry point of the project",
        GOOD
        | {
            "pyproject.toml": START["pyproject.toml"]
            + '[project]\nname = "calc"\nversion = "1"\n[project.entry-points.pytest11]\ncalc = "helpers"\n'
        },
        code="runner-keys",
        says="pytest11",
        checks=(
            "runner_guard._configuration:runner-keys#3 runner_guard.guard>_configuration gate._contents>guard gate.check>_contents proving.run:raise",
        ),
    ),
    Trick(
        "a plugin as an entry point of an installed package lying in the project",
        GOOD
        | {
            "calc-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: calc\nVersion: 1\n",
            "calc-1.dist-info/entry_points.txt": "[pytest11]\ncalc = helpers\n",
        },
        code="runner-keys",
        says="entry_points.txt",
        checks=("runner_guard.guard:runner-keys#2",),
    ),
    Trick(
        "a fixture that puts another test in place of a test",
        BAD
        | conftest(
            """
                import pytest

                @pytest.fixture(autouse=True)
                def ready(request):
                    import calc
                    if hasattr(calc, "double") and "double" in request.node.name:
                        request.node.obj = lambda: None
            """
        ),
        code="outcome-hook",
        says=".obj",
    ),
    Trick(
        "a hook into the runner's own modules",
        BAD
        | conftest(
            """
                import _pytest.runner as runner

                old = runner.pytest_runtest_makereport
            """
        ),
        code="outcome-hook",
        says="_pytest",
    ),
    Trick(
        "a conftest in the feature's own folder that lets everything there pass",
        BAD
        | {
            "tests/test_double.py": None,
            "tests/double/test_double.py": "import calc\n\n\ndef test_double():\n    assert calc.double(4) == 8\n",
            "tests/a/test_a.py": "import calc\n\n\ndef test_a():\n    assert calc.add(1, 1) == 2\n",
            "tests/a/test_b.py": "import calc\n\n\ndef test_b():\n    assert calc.add(1, 1) == 2\n",
        }
        | conftest(
            """
                import pytest

                @pytest.hookimpl(hookwrapper=True)
                def pytest_runtest_makereport(item, call):
                    import calc
                    outcome = yield
                    if hasattr(calc, "double"):
                        outcome.get_result().outcome = "passed"
            """,
            "tests/double",
        ),
        tests=("tests",),
        code="canary",
        **OPEN_FOR,
    ),
    Trick("a report that is forged", BAD | conftest(FORGE), code="canary"),
    Trick(
        "a report that a thread forges",
        BAD
        | conftest(
            FORGE.replace("import atexit, sys", "import sys, threading, time").replace(
                "atexit.register(forge)",
                "threading.Thread(target=lambda: (threading.main_thread().join(), forge())).start()",
            )
        ),
        code="canary",
    ),
    Trick(
        "a report that a test forges",
        DOUBLE
        | {
            "tests/test_double.py": FORGE
            + "\n    def test_double():\n        import calc\n        assert calc.double(4) == 8\n"
        },
        code="canary",
    ),
    Trick(
        "a report that is a link",
        BAD
        | conftest(
            FORGE.replace(
                'with open(one.partition("=")[2], "w") as report:',
                'import os; path = one.partition("=")[2]; os.remove(path)\n'
                '                os.symlink("/etc/hostname", path)\n'
                "                if False:",
            )
        ),
        code="no-report",
    ),
    Trick(
        "a report with entities",
        BAD | conftest(FORGE.replace("<testsuites>", '<!DOCTYPE a [<!ENTITY b "c">]><testsuites>', 1)),
        code="no-report",
    ),
    Trick(
        "a test that takes another one's name in the report",
        GOOD
        | {
            "tests/test_calc.py": None,
            "tests/test_plain.py": """
                def test_plain(record_xml_attribute):
                    record_xml_attribute("file", "tests/test_calc.py")
                    record_xml_attribute("classname", "tests.test_calc")
                    record_xml_attribute("name", "test_add")
            """,
        },
        code="outcome-hook",
        says="record_xml_attribute",
        checks=("runner_guard._python:outcome-hook|runner-keys runner_guard.guard>_python",),
    ),
    Trick(
        "a test that never ends",
        DOUBLE | {"tests/test_double.py": "import time\n\ndef test_double():\n    time.sleep(600)\n"},
        config={"test_timeout_s": 6},
        code="timeout",
        says="within 6 s",
    ),
    Trick(
        "a suite that never ends",
        GOOD | in_suite_alone("import time; time.sleep(600)"),
        config={"test_timeout_s": 6},
        code="timeout",
        says="within 6 s",
        checks=(
            "running._judge:timeout",
            "comparison.judge_losses:test-removed",
        ),
    ),
    Trick(
        "output without end",
        BAD
        | test_double(
            "import os",
            "while True:",
            "    os.write(2, b'x' * 1_000_000)",
        ),
        by_hand="",
        config={"test_timeout_s": 4},
        code="timeout",
    ),
    Trick(
        "a conftest that ends the run on the old code",
        GOOD | conftest("import calc, os\n\nif not hasattr(calc, 'double'):\n    os._exit(0)\n"),
        code="no-report",
        says="On the code as it was before your work",
        checks=("bench.on_old_code:raise", "already_satisfied.refuse_unless_confirmed:no-red"),
    ),
    Trick(
        "a test that leaves a repository behind",
        DOUBLE
        | test_double(
            "git = 'git init -q sub && cd sub && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m a'",
            "subprocess.run(['sh', '-c', git], check=True)",
            "assert calc.double(4) == 8",
            imports="calc, subprocess",
        ),
        code="sandbox",
        says="sub",
        checks=("verifier.prove:sandbox",),
        then="an error",
    ),
    Trick(
        "a test without a report that writes what it expects",
        {"value": "2\n", "tests/value.sh": "grep -q 2 value && echo 3 > value\n"},
        start={"check.sh": 'for one in "$@"; do sh $one || exit 1; done\n', "value": "1\n"},
        alone=True,
        passing=(),
        tests=("tests/value.sh",),
        config={"test_command": "sh check.sh", "accept_exit_code": True},
        code="tree-changed",
        says="value",
        checks=("proving._regress>refuse_other_tree",),
    ),
]
