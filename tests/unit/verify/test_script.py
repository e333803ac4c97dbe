import pytest

from autonomous_loop.verify.package_json import Package
from autonomous_loop.verify.runners.script import calls_in, commands_in

PACKAGES = (
    Package(
        "",
        "root",
        {
            "test": "npm run lint && npm run unit",
            "pretest": "tsc -p .",
            "lint": "eslint .",
            "unit": "NODE_OPTIONS=--experimental-vm-modules jest --ci 'a b'",
            "e2e": "playwright test",
            "all": "npm test --workspaces",
            "both": "vitest run && playwright test",
            "round": "npm run round",
            "piped": "vitest run | tee log",
        },
    ),
    Package("packages/a", "a", {"test": "vitest run"}, is_member=True),
    Package("packages/b", "@x/b", {"test": "node --import tsx --test 'test/**/*.ts'"}, is_member=True),
)
JEST = ("jest", "", "tsc -p . && NODE_OPTIONS=--experimental-vm-modules jest --ci 'a b'")
A = ("vitest", "packages/a", "vitest run")
B = ("node:test", "packages/b", "node --import tsx --test 'test/**/*.ts'")


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        ("npm test", [JEST]),
        ("npm t", [JEST]),
        ("npm test -- --verbose", [(*JEST[:2], f"{JEST[2]} --verbose")]),
        ("npm run e2e", [("playwright", "", "playwright test")]),
        ("pnpm e2e", [("playwright", "", "playwright test")]),
        ("yarn run both", [("vitest", "", "vitest run"), ("playwright", "", "playwright test")]),
        ("npm run all", [A, B]),
        ("npm test -w @x/b", [B]),
        ("npm test --workspace=packages/b", [B]),
        ("npm --prefix packages/a test", [A]),
        ("cd packages/a && npm test", [A]),
        ("pnpm -r test", [A, B]),
        ("pnpm --filter a test", [A]),
        ("yarn workspace @x/b test", [B]),
        ("yarn workspaces run test", [A, B]),
        ("turbo run test", [A, B]),
        ("npx lerna run test", [A, B]),
        ("CI=1 npm --prefix packages/a test", [("vitest", "packages/a", "CI=1 vitest run")]),
        ("npx --no-install vitest run", [("vitest", "", "npx --no-install vitest run")]),
        ("npm exec -- vitest run", [("vitest", "", "npm exec -- vitest run")]),
        ("node node_modules/jest/bin/jest.js", [("jest", "", "node node_modules/jest/bin/jest.js")]),
        ("cross-env A=1 c8 node --test test/", [("node:test", "", "cross-env A=1 c8 node --test test/")]),
        ("npx tsx --test a", [("node:test", "", "npx tsx --test a")]),
        ("vitest bench", []),
        ("playwright install", []),
        ("node server.js", []),
        ("python -m jest", []),
        ("make test", []),
        ("npm ci", []),
        ("npm run nothing", []),
        ("npm run round", []),
        ("npm run piped", []),
        ("vitest run || true", []),
        ("vitest run > log", []),
        ("vitest $(cat args)", []),
    ],
)
def test_the_runners_of_a_command_are_found_through_the_scripts(command, calls):
    found = calls_in(command, PACKAGES)
    assert [(one.runner, one.folder, one.text) for one in found] == calls


def test_only_plain_commands_are_understood():
    assert commands_in("a 'b c' && d=$HOME e; f \"g\"") == [("a", "'b c'"), ("d=$HOME", "e"), ("f", '"g"')]
    assert all(commands_in(text) is None for text in ("a & b", "a < b", "(a)", "a `b`", "a 'b", 'a "$(b)"'))
