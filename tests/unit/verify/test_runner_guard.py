import pytest

from autonomous_loop.domain.work import Change
from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.rules.runner_guard import guard

PYPROJECT = b'[project]\nname = "a"\n[tool.pytest.ini_options]\naddopts = "-q"\ntestpaths = ["tests"]\n'


def facts(paths, suite_existed):
    tests = tuple(path for path in paths if "test_" in path) if suite_existed else ()
    return Facts(tuple(paths), PytestSettings(), tests, lambda path: None)


def judge(path, old, new, *, suite_existed=True, paths=("tests/test_a.py",)):
    status = "A" if old is None else "D" if new is None else "M"
    change = Change(path, status, "100644" if old is not None else "", "100644" if new is not None else "")
    found = guard([change], {path: old}.get, {path: new}.get, checkpoint=facts(paths, suite_existed))
    return [reason.code for reason in found]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (b"def pytest_runtest_makereport(item, call): ...", "outcome-hook"),
        (b"class P:\n    def pytest_report_teststatus(self, report): ...", "outcome-hook"),
        (b"async def pytest_pyfunc_call(pyfuncitem): ...", "outcome-hook"),
        (b"def pytest_sessionfinish(session): session.exitstatus = 0", "outcome-hook"),
        (b"def pytest_configure(config): config.pluginmanager.register(P())", "outcome-hook"),
        (b"def pytest_collection_modifyitems(items): items.clear()", "runner-keys"),
        (b"def pytest_ignore_collect(path): return True", "runner-keys"),
        (b"collect_ignore = ['test_a.py']", "runner-keys"),
        (b"collect_ignore_glob: list = ['*']", "runner-keys"),
        (b"pytest_plugins = ['evil']", "runner-keys"),
        (b"@hookimpl(specname='pytest_runtest_call')\ndef tidy(item): ...", "outcome-hook"),
        (b"@hookimpl(**options)\ndef tidy(item): ...", "outcome-hook"),
        (b"pytest_runtest_call = lambda item: None", "outcome-hook"),
        (b"from helpers import tidy as pytest_collection_finish", "runner-keys"),
        (b"import _pytest.runner", "outcome-hook"),
        (b"from _pytest.reports import TestReport", "outcome-hook"),
        (b"def f(request): request.node.obj = None", "outcome-hook"),
        (b"def f(item): item.runtest = None", "outcome-hook"),
        (b"def test_a(record_xml_attribute): ...", "outcome-hook"),
    ],
)
def test_hooks_that_decide_are_refused_wherever_they_stand(new, code):
    assert judge("tests/conftest.py", None, new) == [code]
    assert judge("src/app/helpers.py", None, new) == [code]
    assert judge("tests/conftest.py", b"x = 1", b"x = 1\n" + new) == [code]
    assert judge("tests/conftest.py", new, new + b"\nx = 1") == []


def test_an_outcome_hook_that_was_there_may_not_change():
    old = b"def pytest_runtest_setup(item): pass"
    assert judge("conftest.py", old, b"def pytest_runtest_setup(item): skip()") == ["outcome-hook"]


@pytest.mark.parametrize(
    "new",
    [
        b"import pytest\n@pytest.fixture\ndef page(): ...",
        b"def pytest_configure(config): config.addinivalue_line('markers', 'slow: x')",
        b"def pytest_addoption(parser): ...",
        b"def pytest_generate_tests(metafunc): ...",
    ],
)
def test_fixtures_markers_and_options_are_no_matter(new):
    assert judge("tests/conftest.py", None, new) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace(b"-q", b"-q --ignore=tests/test_a.py")),
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace(b'"tests"', b'"other"')),
        ("pyproject.toml", PYPROJECT, PYPROJECT + b'norecursedirs = ["a"]\n'),
        ("pyproject.toml", PYPROJECT, b'[project]\nname = "a"\n'),
        ("pyproject.toml", PYPROJECT, PYPROJECT + b'[project.entry-points.pytest11]\nx = "y"\n'),
        ("pyproject.toml", PYPROJECT, PYPROJECT + b"[tool.autonomous-loop]\nrunner-keys = true\n"),
        ("pytest.ini", None, b""),
        ("sub/pytest.ini", None, b"[pytest]\n"),
        ("pytest.ini", b"[pytest]\n", None),
        ("tox.ini", b"[tox]\n", b"[tox]\n[pytest]\npython_functions = check\n"),
        ("setup.cfg", b"", b"[tool:pytest]\naddopts = -x\n"),
        ("package.json", b'{"scripts": {"test": "vitest"}}', b'{"scripts": {"test": "true"}}'),
        ("package.json", b"{}", b'{"jest": {"testMatch": []}}'),
        ("vitest.config.ts", b"a", b"b"),
    ],
)
def test_changed_runner_keys_are_refused_where_a_suite_existed(path, old, new):
    assert judge(path, old, new) == ["runner-keys"]
    assert judge(path, old, new, suite_existed=False) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace(b'"a"', b'"a"\ndependencies = ["x"]')),
        ("pyproject.toml", PYPROJECT, PYPROJECT + b'markers = ["slow"]\npythonpath = ["src"]\n'),
        (
            "package.json",
            b'{"scripts": {"test": "vitest"}}',
            b'{"scripts": {"test": "vitest"}, "dependencies": {"a": "1"}}',
        ),
        ("tox.ini", b"[tox]\n", b"[tox]\nenvlist = py\n"),
    ],
)
def test_dependencies_and_other_keys_may_change(path, old, new):
    assert judge(path, old, new) == []


@pytest.mark.parametrize(
    "path",
    [
        "pytest.py",
        "_pytest/x.py",
        "src/pluggy/__init__.py",
        "a/sitecustomize.py",
        "unittest/__init__.py",
        "a.pth",
    ],
)
def test_modules_in_place_of_the_runner_s_are_refused(path):
    assert judge(path, None, b"x = 1") == ["runner-shadowed"]


def test_a_project_that_is_such_a_module_may_grow():
    assert judge("src/pluggy/_new.py", None, b"x = 1", paths=("src/pluggy/__init__.py",)) == []


@pytest.mark.parametrize(
    "new",
    [
        b"exec(text)",
        b"globals()['pytest_runtest_call'] = f",
        b"from helpers import *",
        b"def __getattr__(name): ...",
        b"def __dir__(): ...",
    ],
)
def test_a_conftest_shows_its_names(new):
    assert judge("tests/conftest.py", None, new) == ["outcome-hook"]
    assert judge("src/app/helpers.py", None, new) == []


def test_a_hook_that_was_there_may_not_go():
    old = b"def pytest_runtest_teardown(item): assert clean()"
    assert judge("conftest.py", old, b"") == ["runner-keys"]
    assert judge("conftest.py", old, None) == ["runner-keys"]
    assert judge("conftest.py", old, None, suite_existed=False) == []


@pytest.mark.parametrize(
    ("path", "existing", "codes"),
    [
        ("tests/test_a.py", ("tests/test_a.py",), ["symlink"]),
        ("tests", ("tests/test_a.py",), ["symlink"]),
        ("tests/conftest.py", ("tests/test_a.py",), ["symlink"]),
        ("tests/test_b.py", ("tests/test_a.py",), ["symlink"]),
        ("docs/example.py", ("tests/test_a.py",), []),
        ("tests/data/latest", ("tests/test_a.py",), []),
    ],
)
def test_a_link_may_not_stand_for_tests(path, existing, codes):
    change = Change(path, "A", "", "120000")
    found = guard([change], {}.get, {path: b"x"}.get, checkpoint=facts(existing, suite_existed=True))
    assert [reason.code for reason in found] == codes


@pytest.mark.parametrize(
    ("command", "path", "guarded"),
    [
        ("sh ci/check.sh --fast", "ci/check.sh", True),
        ("./run", "run", True),
        ("make -s test", "Makefile", True),
        ("tox -e py", "tox.ini", True),
        ("python -m pytest tests/test_a.py", "tests/test_a.py", False),
        ("python -m pytest", "Makefile", False),
    ],
)
def test_what_runs_the_tests_may_not_change_with_the_work(command, path, guarded):
    change = Change(path, "M", "100644", "100644")
    checkpoint = facts((path, "tests/test_a.py"), suite_existed=True)
    found = guard([change], {path: b"a"}.get, {path: b"b"}.get, checkpoint=checkpoint, commands=[command])
    assert bool(found) is guarded


@pytest.mark.parametrize(
    "path", ["tests/unittest.py", "tests/unit/pytest/__init__.py", "lib/_pytest/x.py", "lib/pluggy.py"]
)
def test_a_folder_that_is_no_package_may_hold_no_module_of_the_runner_s(path):
    assert judge(path, None, b"x = 1") == ["runner-shadowed"]


def test_a_part_of_a_package_may_have_any_name():
    assert judge("app/unittest.py", None, b"x = 1", paths=("app/__init__.py", "tests/test_a.py")) == []
