"""Which runners a project has, which files are whose, and how they are called."""

import json

import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.verify.commands import find_commands
from autonomous_loop.verify.project.package_json import read_packages
from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.project.selection import is_support, is_test_file
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.verify.runners.base import Folders

FOLDERS = Folders(work="/hands/work", run="/hands/tmp/run-1", temporary="/hands/tmp")
NODE = "import test from 'node:test';"
VITEST = "import { test } from 'vitest';"
BROWSER = "import { test } from '@playwright/test';\ntest('a', async ({ page }) => { await page.goto('/') });"


class FakeTrees:
    """Paths and texts of one tree."""

    def __init__(self, files):
        self._files = {
            path: json.dumps(text) if isinstance(text, dict) else text for path, text in files.items()
        }

    def paths(self, tree):
        return sorted(self._files)

    def read(self, tree, path):
        text = self._files.get(path)
        return None if text is None else text.encode()


def facts_of(files):
    return TreeFacts(FakeTrees(files)).of("tree")


def steps(files, **options):
    commands = find_commands(facts_of(files), LoopConfig(**options))
    return [(one.runner.name, one.command, one.folder) for one in commands.suite]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"package.json": {"scripts": {"test": "jest --ci"}}}, [("jest", "jest --ci", "")]),
        ({"package.json": {"dependencies": {"jest": "30"}}}, [("jest", "npx --no-install jest", "")]),
        ({"package.json": {"jest": {}}}, [("jest", "npx --no-install jest", "")]),
        (
            {"package.json": {}, "playwright.config.ts": ""},
            [("playwright", "npx --no-install playwright test", "")],
        ),
        ({"package.json": {"mocha": {}}}, [("mocha", "npx --no-install mocha", "")]),
        ({"package.json": {}, ".mocharc.yml": ""}, [("mocha", "npx --no-install mocha", "")]),
        ({"package.json": {"scripts": {"test": "nyc mocha -r esm"}}}, [("mocha", "nyc mocha -r esm", "")]),
        ({"package.json": {}, "test/a.test.js": NODE}, [("node:test", "node --test", "")]),
        ({"package.json": {"scripts": {"e2e": "playwright test"}}}, [("playwright", "playwright test", "")]),
        (
            {"package.json": {"scripts": {"test": "vitest", "test:e2e": "playwright test"}}},
            [("vitest", "vitest", ""), ("playwright", "playwright test", "")],
        ),
        ({"web/package.json": {"scripts": {"test": "vitest"}}}, [("vitest", "vitest", "web")]),
        (
            {
                "package.json": {"workspaces": ["packages/*"], "devDependencies": {"vitest": "4"}},
                "packages/a/package.json": {"scripts": {"test": "vitest run"}},
                "elsewhere/package.json": {"scripts": {"test": "vitest run"}},
            },
            [("vitest", "vitest run", "packages/a")],
        ),
        (
            {
                "package.json": {"scripts": {"test": "vitest run"}},
                "vitest.config.ts": "export default { test: { projects: ['packages/*'] } }",
                "packages/a/package.json": {"scripts": {"test": "vitest run"}},
            },
            [("vitest", "vitest run", "")],
        ),
        (
            {
                "package.json": {},
                "pnpm-workspace.yaml": "packages:\n  - 'apps/*' # ours\n",
                "apps/a/package.json": {"scripts": {"test": "jest"}},
                "tools/b/package.json": {"scripts": {"test": "jest"}},
            },
            [("jest", "jest", "apps/a")],
        ),
        (
            {"tests/fixtures/x/package.json": {"scripts": {"test": "jest"}}, "test_a.py": ""},
            [("pytest", "python -m pytest", "")],
        ),
    ],
)  # fmt: skip
def test_a_projects_own_files_say_how_its_tests_run(files, found):
    assert steps(files) == found


def test_a_configured_command_is_followed_through_the_scripts():
    files = {
        "package.json": {
            "scripts": {"test": "npm run unit && npm run e2e", "unit": "vitest run", "e2e": "playwright test"}
        }
    }
    assert steps(files, test_command="npm test") == [
        ("vitest", "vitest run", ""),
        ("playwright", "playwright test", ""),
    ]
    assert steps(files, test_command="make check") == [("command", "make check", "")]


@pytest.mark.parametrize(
    ("path", "test", "support"),
    [
        ("src/__tests__/calc.js", True, True),
        ("src/__tests__/helpers/calc.js", False, True),
        ("test-calc.js", True, False),
        ("src/testing.js", False, False),
        ("src/__snapshots__/calc.test.js.snap", False, True),
        ("src/page.spec.ts-snapshots/page-1.png", False, True),
        ("src/__mocks__/api.js", False, True),
    ],
)
def test_what_runners_collect_by_their_own_rules_is_known(path, test, support):
    assert (is_test_file(path, PytestSettings()), is_support(path)) == (test, support)


def test_a_script_that_is_no_plain_command_is_left_to_its_runner():
    files = {"package.json": {"scripts": {"test": "jest | tee log"}, "devDependencies": {"jest": "30"}}}
    assert steps(files) == [("jest", "npx --no-install jest", "")]


MIXED = {
    "package.json": {
        "scripts": {"test": "vitest", "e2e": "playwright test"},
        "devDependencies": {"vitest": "4", "@playwright/test": "1"},
    },
    "playwright.config.ts": "export default { testDir: './e2e' }",
    "tests/a.test.ts": VITEST,
    "tests/globals.test.ts": "test('a', () => {})",
    "e2e/a.spec.ts": BROWSER,
    "e2e/own.spec.ts": BROWSER.replace("@playwright/test", "./fixtures"),
    "packages/b/package.json": {"scripts": {"test": "node --test"}},
    "packages/b/test/any.js": NODE,
    "tests/test_a.py": "",
    "packages/c/package.json": {"scripts": {"test": "mocha"}},
    "packages/c/test/add.js": "describe('a', () => {})",
}


@pytest.mark.parametrize(
    ("file", "runner"),
    [
        ("tests/a.test.ts", "vitest"),
        ("tests/globals.test.ts", "vitest"),
        ("e2e/a.spec.ts", "playwright"),
        ("e2e/own.spec.ts", "playwright"),
        ("packages/b/test/any.js", "node:test"),
        ("packages/c/test/add.js", "mocha"),
        ("tests/test_a.py", "pytest"),
    ],
)
def test_each_file_goes_to_its_own_runner(file, runner):
    facts = facts_of({**MIXED, "conftest.py": ""})
    assert file in facts.test_files
    ((step, files),) = find_commands(facts, LoopConfig()).share([file], facts)
    assert (step.runner.name, files) == (runner, (file,))


def test_files_that_use_a_browser_go_to_the_command_for_them():
    python = "def test_a(page):\n    page.goto('/')\n"
    files = {**MIXED, "tests/test_page.py": python, "conftest.py": "import playwright"}
    facts = facts_of(files)
    commands = find_commands(
        facts, LoopConfig(test_command="python -m pytest", e2e_command="python -m pytest -p x")
    )
    shared = commands.share(["tests/test_a.py", "tests/test_page.py"], facts)
    assert [(step.command, files) for step, files in shared] == [
        ("python -m pytest", ("tests/test_a.py",)),
        ("python -m pytest -p x", ("tests/test_page.py",)),
    ]
    assert [step.command for step in commands.suite] == ["python -m pytest", "python -m pytest -p x"]


def invoked(files, asked=(), **options):
    facts = facts_of(files)
    (step,) = find_commands(facts, LoopConfig(**options)).suite
    return step.runner.invoke(step, asked, facts, FOLDERS)


def words_after(invocation):
    return invocation.command.partition("; ")[2]


def test_the_projects_own_binaries_are_used_and_nothing_is_fetched():
    made = invoked({"package.json": {"devDependencies": {"vitest": "4"}}, "tests/a.test.ts": VITEST})
    assert made.command.startswith('export PATH=/hands/work/node_modules/.bin:"$PATH"; vitest run "$@"')
    assert made.environment["npm_config_yes"] == "false"


@pytest.mark.parametrize(
    ("script", "asked", "command"),
    [
        ("vitest --watch --coverage", (), 'vitest "$@"'),
        ("jest src tests/a.test.js", ("tests/a.test.js",), 'jest "$@"'),
        ("jest src", (), 'jest src "$@"'),
        ("jest -c src", ("tests/a.test.js",), 'jest -c src "$@"'),
        ("tsc && NODE_OPTIONS=--x jest --silent", (), 'tsc && NODE_OPTIONS=--x jest --silent "$@"'),
    ],
)
def test_a_script_is_called_with_files_in_place_of_its_own(script, asked, command):
    files = {"package.json": {"scripts": {"test": script}}, "src/a.js": "", "tests/a.test.js": ""}
    assert words_after(invoked(files, asked)) == command


TOLD = ("tests/a.test.js",)


@pytest.mark.parametrize(
    ("script", "some", "whole"),
    [
        # What the loop sets itself goes, in whatever form it stands: most runners take it but once.
        ("jest --outputFile x.json src", "jest", "jest src"),
        ("jest --outputFile=x.json --bail 1", "jest", "jest"),
        ("jest --cacheDirectory src --no-watchman", "jest", "jest"),
        ("vitest --run", "vitest", "vitest"),
        ("vitest --reporter verbose --outputFile x", "vitest", "vitest"),
        ("vitest --reporter=junit --outputFile.junit src/x.xml", "vitest", "vitest"),
        ("vitest run --retry 2 --bail=1 --no-allowOnly", "vitest run", "vitest run"),
        ("playwright test --reporter list --retries 2 -x", "playwright test", "playwright test"),
        ("mocha -R dot --reporter-option a=b --bail --retries 2", "mocha", "mocha"),
        # What is dropped takes its value along.
        ("vitest --watch false --coverage.provider v8", "vitest", "vitest"),
        ("jest --coverage false tests", "jest", "jest tests"),
        # The value of an option is no file to run, whatever it is called.
        ("jest -w 2 tests", "jest -w 2", "jest -w 2 tests"),
        (
            "jest --roots src tests --silent",
            "jest --roots src tests --silent",
            "jest --roots src tests --silent",
        ),
        ("jest -i src", "jest -i", "jest -i src"),
        ("mocha --file src/a.js -b tests", "mocha --file src/a.js", "mocha --file src/a.js tests"),
        ("vitest --dir src", "vitest --dir src", "vitest --dir src"),
        (
            "vitest --typecheck.tsconfig src",
            "vitest --typecheck.tsconfig src",
            "vitest --typecheck.tsconfig src",
        ),
        (
            "playwright test --project src tests",
            "playwright test --project src tests",
            "playwright test --project src tests",
        ),
        ("playwright test -j 2 tests", "playwright test -j 2", "playwright test -j 2 tests"),
    ],
)
def test_the_word_after_an_option_may_belong_to_it(script, some, whole):
    files = {"package.json": {"scripts": {"test": script}}, "src/a.js": "", "tests/a.test.js": VITEST}
    assert words_after(invoked(files, TOLD)) == f'{some} "$@"'
    assert words_after(invoked(files)) == f'{whole} "$@"'


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("--test-reporter spec", ""),
        ("--test-reporter=spec --test-reporter-destination stdout", ""),
        ("--test-reporter spec --test-reporter dot --test-reporter-destination a --test-concurrency 1",
         " --test-concurrency 1"),
        ("--import ./src/a.js --test-timeout 9", " --import ./src/a.js --test-timeout 9"),
        ("--watch --watch-path src", ""),
    ],
)  # fmt: skip
def test_the_word_after_an_option_of_node_may_belong_to_it(options, kept):
    script = f"node {options} --test {options} tests"
    files = {"package.json": {"scripts": {"test": script}}, "src/a.js": "", "tests/a.test.js": NODE}
    ours = " ".join(
        f"--test-reporter{one}"
        for one in (
            "=/hands/tmp/run-1/node_test_reporter.mjs",
            "-destination=/hands/tmp/run-1/report.jsonl",
        )
    )
    assert words_after(invoked(files, TOLD)) == f'node {ours}{kept} --test{kept} "$@"'


def test_node_reads_its_options_before_the_files():
    files = {
        "package.json": {"scripts": {"test": "node --test --test-reporter=spec tests/"}},
        "tests/a.test.js": NODE,
    }
    ours = (
        "--test-reporter=/hands/tmp/run-1/node_test_reporter.mjs"
        " --test-reporter-destination=/hands/tmp/run-1/report.jsonl"
    )
    whole = invoked(files)
    assert words_after(whole) == f'node {ours} --test tests/ "$@"'
    assert list(whole.arguments) == [whole.canaries[0].path]
    some = invoked(files, ("tests/a.test.js",))
    assert words_after(some) == f'node {ours} --test "$@"'
    assert list(some.arguments) == ["tests/a.test.js", some.canaries[0].path]


@pytest.mark.parametrize(
    ("files", "asked", "front", "tail"),
    [
        ({"src/a.spec.tsx": VITEST}, ("src/a.spec.tsx",), "src/", ".spec.tsx"),
        ({"src/a.spec.tsx": VITEST, "src/b.spec.tsx": "", "a.test.js": ""}, (), "src/", ".spec.tsx"),
        ({"src/__tests__/a.js": ""}, (), "src/__tests__/", ".js"),
        ({}, (), "", ".test.js"),
    ],
)
def test_a_canary_is_named_as_the_tests_it_stands_beside(files, asked, front, tail):
    runner = "jest" if "src/__tests__/a.js" in files else "vitest"
    (canary,) = invoked({"package.json": {"scripts": {"test": runner}}, **files}, asked).canaries
    assert canary.path == f"{front}{canary.word}{tail}"


def test_a_canary_for_the_browser_stands_where_the_configuration_looks():
    files = {
        "package.json": {"devDependencies": {"@playwright/test": "1"}},
        "playwright.config.ts": "testDir: './e2e/all'",
    }
    (canary,) = invoked(files).canaries
    assert canary.path.startswith("e2e/all/")


def test_a_canary_speaks_the_language_of_its_package():
    module = {"package.json": {"type": "module", "scripts": {"test": "node --test"}}, "test/a.js": NODE}
    common = {"package.json": {"scripts": {"test": "node --test"}}, "test/a.js": NODE}
    assert invoked(module).canaries[0].source.startswith(b"import")
    assert invoked(common).canaries[0].source.startswith(b"const test = require")


def test_a_package_file_that_cannot_be_read_is_an_empty_package():
    for text in (b"", b"{", b"[]", b'{"scripts": [], "workspaces": 3}', b"[" * 100_000):
        (package,) = read_packages(
            ["package.json"], lambda path, text=text: text if path == "package.json" else None
        )
        assert (package.scripts, package.dependencies) == ({}, frozenset())
