import pytest

from autonomous_loop.verify.project.package_json import Package
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
            "checks": "npm run lint && tsc --noEmit",
            "made": "eslint . && node make.js",
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
        ("c8 -r html node --test", [("node:test", "", "c8 -r html node --test")]),
        ("dotenv -e .env.test -- jest", [("jest", "", "dotenv -e .env.test -- jest")]),
        ("npx -p tsx -- tsx --test a", [("node:test", "", "npx -p tsx -- tsx --test a")]),
        ("node -r esm node_modules/.bin/jest", [("jest", "", "node -r esm node_modules/.bin/jest")]),
        ("nyc mocha -r esm test/*.js", [("mocha", "", "nyc mocha -r esm test/*.js")]),
        ("npm --loglevel silent run e2e", [("playwright", "", "playwright test")]),
        ("pnpm -w e2e", [("playwright", "", "playwright test")]),
        ("bun run e2e", [("playwright", "", "playwright test")]),
        ("bun test", []),
        ("node make.js --test", []),
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


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        ("pnpm lint", False),
        ("yarn lint", False),
        ("bun run lint", False),
        ("npm run -s lint", False),
        ("pnpm -s lint", False),
        ("pnpm --filter a lint", False),
        ("CI=1 yarn run lint:ci", False),
        ("npm run typecheck", False),
        ("yarn type-check", False),
        ("npm run checks", False),
        ("npx eslint .", False),
        ("pnpm exec prettier --check .", False),
        ("tsc --noEmit -p .", False),
        ("npx --no-install vue-tsc --noEmit", False),
        ("tsc -p .", True),
        ("tsc --noEmit false", True),
        ("npm run made", True),
        ("npm run build", True),
        ("pnpm build", True),
        ("npm ci", True),
        ("npm run linters-of-ours", True),
        ("node lint", True),
    ],
)
def test_what_only_looks_at_code_is_no_part_of_a_test_run(first, kept):
    (call,) = calls_in(f"{first} && vitest run", PACKAGES)
    assert call.text == (f"{first} && vitest run" if kept else "vitest run")


def test_only_plain_commands_are_understood():
    assert commands_in("a 'b c' && d=$HOME e; f \"g\"") == [("a", "'b c'"), ("d=$HOME", "e"), ("f", '"g"')]
    assert all(commands_in(text) is None for text in ("a & b", "a < b", "(a)", "a `b`", "a 'b", 'a "$(b)"'))
