import pytest

from autonomous_loop.verify.project.paths import PROTECTED, PathPatterns


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml", ".GitHub/dependabot.yml", "AGENTS.md", "packages/a/CLAUDE.md",
        ".claude/settings.json",
        "sub/.claude/hooks/x", ".mcp.json", ".vscode/tasks.json", ".devcontainer/Dockerfile",
        ".husky/pre-commit",
        ".gitattributes", "docs/.gitattributes", ".gitmodules", ".npmrc", "CODEOWNERS", "docs/CODEOWNERS",
    ],
)  # fmt: skip
def test_what_people_alone_may_change_is_protected(path):
    assert PathPatterns(PROTECTED, ignore_case=True).match(path)


@pytest.mark.parametrize(
    "path", ["src/github/x.py", "claude.py", "docs/AGENTS.md.txt", "my.npmrc", ".gitignore", "vscode/x"]
)
def test_what_only_sounds_like_it_is_not(path):
    assert not PathPatterns(PROTECTED, ignore_case=True).match(path)


@pytest.mark.parametrize(
    ("patterns", "path", "meant"),
    [
        (["infra/"], "a/infra/x/y", True),
        (["infra/"], "infra", False),
        (["/infra/"], "a/infra/x", False),
        (["*.lock"], "a/b.lock", True),
        (["*.lock"], "a/b.locks", False),
        (["a/*/c"], "a/b/c", True),
        (["a/*/c"], "a/b/x/c", False),
        (["a/**/c"], "a/b/x/c", True),
        (["a/**/c"], "a/c", True),
        (["**/c"], "x/y/c", True),
        (["a/**"], "a/b/c", True),
        (["a/**"], "a", False),
        (["fo?"], "foo", True),
        (["fo?"], "fo/", False),
        (["[ab].txt"], "b.txt", True),
        (["[!ab].txt"], "b.txt", False),
        (["[!ab].txt"], "c.txt", True),
        (["*.lock", "!keep.lock"], "keep.lock", False),
        ([r"\!bang"], "!bang", True),
        (["# comment"], "# comment", False),
        (["a.b"], "aXb", False),
    ],
)
def test_patterns_are_those_of_gitignore(patterns, path, meant):
    assert PathPatterns(patterns).match(path) is meant
