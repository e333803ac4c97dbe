"""JavaScript files that are tests by where they stand."""

import json

import pytest

from autonomous_loop.verify.project.collected_tests import collected
from autonomous_loop.verify.project.package_json import read_packages

PATHS = (
    "index.js", "src/add.js", "test/add.js", "test/deep/sub.mjs", "test/fixtures/one.js", "test/helper.js",
    "test/_setup.js", "test/data.txt", "tests/add.ts", "tests/readme.md", "spec/addSpec.js", "check/a.js",
    "lib/a/own.js",
)  # fmt: skip
TEST = {"test/add.js", "test/deep/sub.mjs"}
TESTS = {"tests/add.ts"}


def found(package, files=()):
    texts = {"package.json": json.dumps(package), **dict(files)}
    paths = sorted({*PATHS, *texts})

    def read(path):
        return texts.get(path, "").encode()

    return set(collected(paths, read_packages(paths, read), read))


@pytest.mark.parametrize(
    ("script", "tests"),
    [
        ("node --test", TEST),
        ("mocha", TEST),
        ("nyc --reporter=text mocha --recursive -t 3000", TEST),
        ("tape test/*.js | tap-spec", {"test/add.js"}),
        ("tape -r ./check/a.js 'test/**/*.{js,mjs}'", TEST),
        ("node_modules/.bin/mocha --require check/a.js tests", TESTS),
        ("ava", TEST | TESTS),
        ("npm run lint && tap --no-coverage", TEST | TESTS),
        ("uvu check", {"check/a.js"}),
        ("jasmine", {"spec/addSpec.js"}),
        ("mocha lib/*/own.js 'check/?.js' '!check/b.js'", {"lib/a/own.js", "check/a.js"}),
        ("jest", set()),
        ("mochawesome", set()),
    ],
)
def test_a_runners_command_says_which_files_are_tests(script, tests):
    assert found({"scripts": {"test": script}}) == tests


def test_a_dependency_speaks_where_no_script_does():
    assert found({"devDependencies": {"tape": "5"}, "scripts": {"test": "make check"}}) == TEST
    assert found({"devDependencies": {"express": "5"}}) == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".mocharc.json", '{"recursive": true, "spec": ["check/*.js", "./tests"], "require": "src/add.js"}'),
        (".mocharc.yml", "require: src/add.js\nspec:\n  - check/*.js\n  - ./tests/\ntimeout: 3\n"),
        (".mocharc.cjs", "module.exports = { spec: ['check/*.js', 'tests/'], require: 'src/add.js' };"),
    ],
)
def test_mochas_configuration_says_so_too(name, text):
    assert found({"scripts": {"test": "mocha"}}, {name: text}) == {"check/a.js", *TESTS}
    both = {"mocha": {"spec": ["check/*.js", "tests/*.ts"]}, "scripts": {"test": "mocha"}}
    assert found(both) == {"check/a.js", *TESTS}


def test_a_package_of_a_monorepo_has_its_own():
    assert found({}, {"one/package.json": '{"scripts": {"test": "mocha"}}', "one/test/a.js": ""}) == {
        "one/test/a.js"
    }
