import pytest

from autonomous_loop.verify.syntax import awareness


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import sys\ndef f(): return 'pytest' in sys.modules", ("sys.modules",)),
        ("import sys\nTESTED = sys.modules.get('unittest')", ("sys.modules",)),
        ("import os\nx = os.environ.get('PYTEST_CURRENT_TEST')", ("PYTEST_CURRENT_TEST",)),
        ("import os\nx = 'PYTEST_VERSION' in os.environ", ("PYTEST_VERSION",)),
        ("import sys\nx = 'test' in sys.argv", ("sys.argv",)),
        ("import sys\nx = any('pytest' in one for one in sys.argv)", ("sys.argv",)),
        ("import sys\nx = sys.argv[0].endswith('/pytest')", ("sys.argv",)),
        (
            "import sys\ndef f():\n    who = sys._getframe(1)\n    return who.f_code.co_name[:5] == 'test_'",
            ("sys._getframe",),
        ),
        ("import inspect\nf = lambda: 'conftest' in str(inspect.stack())", ("inspect.stack",)),
    ],
)
def test_source_that_looks_for_its_tests_is_seen(source, found):
    assert awareness("app.py", source.encode()) == found


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess, sys\ndef main(): subprocess.run(['pytest', *sys.argv[1:]])",
        'import sys\ndef main():\n    """Run the tests."""\n    parse(sys.argv, help="run tests")',
        "import sys\ndef f(): return sys.modules[__name__]\n\ndef g(): return 'pytest'",
        "import inspect\ndef f(): return inspect.stack()[1].function == 'main'",
        "import os\nx = os.environ.get('LATEST_TESTED')",
        "x = 'contest' in sys.modules",
        "not python",
    ],
)
def test_source_that_only_speaks_of_tests_is_no_matter(source):
    assert awareness("app.py", source.encode()) == ()


@pytest.mark.parametrize(
    ("source", "called", "found"),
    [
        ("sys.argv[1] == 'test'", (), ()),
        ("sys.argv[1] in ('test', 'build')", ("tests",), ()),
        ("sys.argv[1] == 'test'", ("test",), ("sys.argv",)),
        ("sys.argv[1] == 'tests'", ("tests",), ("sys.argv",)),
        ("sys.argv[0] == 'test'", (), ("sys.argv",)),
        ("sys.argv[-1] == 'test'", (), ("sys.argv",)),
        ("sys.argv[1] == 'pytest'", (), ("sys.argv",)),
        ("sys.argv[1] == 'tests/test_a.py'", (), ("sys.argv",)),
        ("'test' in sys.argv[1]", (), ("sys.argv",)),
    ],
)
def test_a_command_of_the_programs_own_is_told_from_the_command_of_its_tests(source, called, found):
    assert awareness("app.py", f"import sys\nx = {source}".encode(), called) == found


def test_javascript_is_read_too():
    assert awareness("a.ts", b"const x = process.env.VITEST ? 1 : 2") == ("process.env.VITEST",)
    assert awareness("a.md", b"process.env.VITEST") == ()
