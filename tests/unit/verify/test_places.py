import pytest

from autonomous_loop.verify.project.places import holds, innermost, unseen
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.runners.pytest import Pytest
from autonomous_loop.verify.runners.pytest_places import places
from verify.small_facts import FOLDERS, facts

TREE = facts(
    dict.fromkeys(
        ["run.py", "setup.cfg", "python/notes.txt", "src/calc/__init__.py",
         "src/calc/tests/test_a.py", "tests/test_b.py", "tests/test_c.py", "tests/unit/test_d.py"],
        "",
    )
)  # fmt: skip
COMMANDS = {
    "pytest": [],
    "python -m pytest": [],
    "pytest tests": ["tests"],
    "pytest -q ./tests/ -x": ["tests"],
    "pytest tests/test_b.py::test_x[a/b] tests/unit": ["tests/test_b.py", "tests/unit"],
    "pytest .": ["."],
    "pytest tests/test_*.py": ["tests/test_*.py"],
    "pytest 'nothing/*.py' nowhere /tests $TESTS": [],
    "pytest --pyargs calc.tests": ["src/calc/tests"],
    "pytest --pyargs calc.tests.test_a::test_x": ["src/calc/tests/test_a.py"],
    "pytest calc.tests": [],
    # What is no place: values of options, and what stands around pytest.
    "pytest -c setup.cfg --ignore tests/unit -k tests --cov src": [],
    "pytest --ignore=tests/unit --rootdir tests": [],
    "cd python && pytest tests && sh run.py": ["tests"],
    "uv run --with pytest pytest tests": ["tests"],
    # Behind the scenes any word may be one, but a script.
    "python run.py tests": ["tests"],
    "sh run.py tests/test_b.py": ["tests/test_b.py"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_places_a_command_names(command):
    assert places(Step(Pytest(), command), TREE) == COMMANDS[command]


def test_a_step_in_a_folder_names_places_there():
    assert places(Step(Pytest(), "pytest tests", "src/calc"), TREE) == ["tests"]
    assert places(Step(Pytest(), "pytest unit", "src/calc"), TREE) == []


def test_a_place_holds_what_is_below_it():
    assert holds("tests", "tests/unit/test_d.py")
    assert holds(".", "test_a.py")
    assert holds("tests/test_b.py", "tests/test_b.py")
    assert holds("*/unit", "tests/unit/test_d.py")
    assert not holds("tests/test_*.py", "tests/unit/test_d.py")
    assert not holds("tests", "tests_too/test_a.py")
    assert not holds("tests/unit", "tests")


def test_of_places_inside_one_another_the_inner_ones_count():
    assert innermost(["tests/", "./tests", "tests/unit", "docs"]) == ["tests/unit", "docs"]
    assert innermost([".", "tests"]) == ["tests"]


def test_only_what_no_place_holds_must_be_named():
    assert unseen(["tests/test_x.py"], []) == []
    assert unseen(["tests/test_x.py"], ["tests"]) == []
    assert unseen(["tests/test_x.py"], ["tests/test_b.py", "docs"]) == ["tests/test_x.py"]


@pytest.mark.parametrize(
    "command", ["pytest tests", "pytest tests tests/unit", "pytest . --pyargs calc.tests"]
)
def test_a_canary_stands_where_a_command_looks_and_is_not_named(command):
    made = Pytest().invoke(Step(Pytest(), command), [], TREE, FOLDERS)
    (canary,) = made.canaries
    assert canary.path not in made.arguments
    assert any(holds(place, canary.path) for place in innermost(places(Step(Pytest(), command), TREE)))


def test_beside_files_a_canary_is_named():
    made = Pytest().invoke(Step(Pytest(), "pytest tests/unit/test_d.py"), [], TREE, FOLDERS)
    (canary,) = made.canaries
    assert canary.path.startswith("tests/unit/")
    assert made.arguments[-1] == canary.path
