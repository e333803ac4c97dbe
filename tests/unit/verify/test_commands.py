"""Which command counts: by who wrote it, and by what it may leave out."""

import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.verify.commands import find_commands, step_of
from autonomous_loop.verify.execution.command_choice import narrows
from autonomous_loop.verify.project.package_json import read_packages
from verify.small_facts import FOLDERS, facts

PYTHON = {"conftest.py": "", "tests/test_a.py": "def test_a(): pass\n", "tests/deep/test_b.py": ""}
WITHIN = [
    ".venv/bin/python -m pytest",
    ".venv/bin/pytest -q",
    "poetry run pytest",
    "uv run --frozen pytest",
    "uv run python -m pytest -ra --tb=short -n 2",
    "hatch run pytest",
    "pipenv run python -m pytest",
    "conda run -n dev pytest -p no:randomly",
    "PYTHONPATH=src python -m pytest tests",
]
NARROW = {
    "-k x": "-k",
    "-kx": "-kx",
    "-m 'not slow'": "-m",
    "--ignore=tests/deep": "--ignore=tests/deep",
    "--deselect tests/test_a.py": "--deselect",
    "tests/deep": "tests/deep",
    "tests/test_a.py": "tests/test_a.py",
    "-o addopts=-kx": "-o",
    "-x": "-x",
    "--maxfail=1": "--maxfail=1",
    "--lf": "--lf",
    "-c other.ini": "-c",
    "-p mine": "mine",
    "; true": ";",
    "|| true": "||",
}


def with_packages(files):
    found = facts(files)
    packages = read_packages(sorted(files), found.read)
    return type(found)(found.paths, found.settings, found.test_files, found.read, packages)


def commands_of(found):
    return [(step.runner.name, step.command) for step in found.test]


@pytest.mark.parametrize("command", WITHIN)
def test_the_models_command_takes_the_place_of_a_guess_and_keeps_report_and_canary(command):
    found = find_commands(facts(PYTHON), LoopConfig(), model_command=command)
    assert commands_of(found) == [("pytest", command)]
    assert found.from_model
    (step,) = found.test
    run = step.runner.invoke(step, [], facts(PYTHON), FOLDERS)
    assert run.canaries
    assert run.command == f'{command} "$@"'
    assert any(one.startswith("--junitxml=") for one in run.arguments)
    assert narrows(step, facts(PYTHON)) == ""


@pytest.mark.parametrize(("options", "word"), NARROW.items())
def test_what_may_leave_tests_out_is_seen(options, word):
    step = step_of(f".venv/bin/python -m pytest -q {options}", facts(PYTHON))
    assert narrows(step, facts(PYTHON)) == word


def test_so_is_what_comes_from_outside_the_command():
    step = step_of("PYTEST_ADDOPTS=-kx python -m pytest", facts(PYTHON))
    assert narrows(step, facts(PYTHON)) == "PYTEST_ADDOPTS=-kx"


def test_what_was_not_tried_takes_no_guesses_place():
    found = find_commands(facts(PYTHON), LoopConfig(), model_command="uv run pytest", tried=False)
    assert commands_of(found) == [("pytest", "python -m pytest")]
    assert not found.from_model
    nothing = find_commands(facts({"a.py": ""}), LoopConfig(), model_command="uv run pytest", tried=False)
    assert (commands_of(nothing), nothing.from_model) == ([("pytest", "uv run pytest")], True)


def test_configuration_stands_above_the_model():
    found = find_commands(facts(PYTHON), LoopConfig(test_command="make test"), model_command="uv run pytest")
    assert (commands_of(found), found.from_model) == ([("command", "make test")], False)


def test_the_same_words_as_the_guess_are_no_command_of_the_models():
    assert not find_commands(facts(PYTHON), LoopConfig(), model_command="python -m pytest").from_model


@pytest.mark.parametrize(
    "command", ["uv run pytest", "node_modules/.bin/mocha", "node_modules/.bin/vitest run"]
)
def test_a_script_of_the_project_stays_beside_whatever_the_model_says(command):
    script = {"package.json": '{"scripts": {"test": "vitest run"}}', "a.test.js": "1"}
    found = find_commands(with_packages(script), LoopConfig(), model_command=command)
    assert (commands_of(found), found.from_model) == ([("vitest", "vitest run")], False)
    both = find_commands(with_packages(script | PYTHON), LoopConfig(), model_command="uv run pytest")
    assert commands_of(both) == [("pytest", "uv run pytest"), ("vitest", "vitest run")]


def test_a_guess_about_javascript_gives_way_too():
    guessed = with_packages({"package.json": '{"devDependencies": {"vitest": "3"}}', "a.test.js": "1"})
    found = find_commands(guessed, LoopConfig(), model_command="node_modules/.bin/vitest run")
    assert commands_of(found) == [("vitest", "node_modules/.bin/vitest run")]
    assert narrows(found.test[0], guessed) == ""
    narrow = step_of("node_modules/.bin/vitest run -t x", guessed)
    assert narrows(narrow, guessed) == "-t"
    # Another runner of the language, and one that nobody knows, stand for whatever was guessed.
    for name, command in [("mocha", "node_modules/.bin/mocha"), ("command", "node_modules/.bin/tape")]:
        other = find_commands(guessed, LoopConfig(), model_command=command)
        assert (commands_of(other), other.from_model) == ([(name, command)], True)


def test_a_guess_about_another_runner_stays():
    go = {"go.mod": "module a\n", "a_test.go": "package a\n"}
    found = find_commands(facts(go), LoopConfig(), model_command="uv run pytest")
    assert (commands_of(found), found.from_model) == ([("go test", "go test")], False)
