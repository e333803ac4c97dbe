import pytest

from autonomous_loop.domain.work import Change
from autonomous_loop.verify.rules.javascript_settings import loaded, section_for_tests
from autonomous_loop.verify.rules.runner_guard import guard
from unit.verify.test_javascript_steps import facts_of

VITE = (
    "import plugin from './plugin';\nexport default { plugins: [plugin], test: { include: ['tests/**'] } };\n"
)
FILES = {
    "package.json": {"devDependencies": {"vitest": "4"}},
    "vite.config.ts": VITE,
    "plugin.ts": "",
    "site/vite.config.ts": "import plugin from './plugin';\nexport default { plugins: [plugin] };\n",
    "site/plugin.ts": "",
    "web/jest.config.js": (
        "module.exports = {\n  reporters: ['default', '<rootDir>/tools/reporter.js'],\n"
        "  globalSetup: './setup',\n  setupFiles: ['./tests/setup.js'],\n};\n"
    ),
    "web/tools/reporter.js": "",
    "web/setup.js": "",
    "web/tests/setup.js": "",
    "tests/a.test.ts": "",
}


def refused(path, text, files=FILES):
    facts = facts_of(files)
    change = Change(path, "M" if path in files else "A", "100644", "100644")
    reasons = guard([change], facts.read, lambda one: text.encode(), checkpoint=facts)
    return [reason.code for reason in reasons]


def test_what_a_configuration_loads_belongs_to_it():
    assert loaded(facts_of(FILES)) == {"plugin.ts", "web/tools/reporter.js", "web/setup.js"}
    assert refused("plugin.ts", "export default {}") == ["runner-keys"]
    assert refused("web/tests/setup.js", "// what tests share may change") == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (VITE.replace("tests/**", "tests/b*"), ["runner-keys"]),
        (VITE.replace(", test: { include: ['tests/**'] }", ""), ["runner-keys"]),
        (VITE.replace("[plugin]", "[plugin], base: '/x/'"), []),
        (VITE.replace("{ include", "{\n    // the same\n    include"), []),
    ],
)
def test_of_a_shared_configuration_only_the_part_for_tests_may_not_change(text, codes):
    assert refused("vite.config.ts", text) == codes


def test_a_new_section_for_tests_is_a_change():
    files = {**FILES, "vite.config.ts": "export default {};"}
    assert refused("vite.config.ts", VITE, files) == ["runner-keys"]
    assert refused("vitest.workspace.ts", "export default []") == ["runner-keys"]


def test_a_configuration_that_cannot_be_read_is_taken_whole():
    assert section_for_tests("export default { test: {") == "export default { test: {"
    assert section_for_tests("export default { server: {") == ""
