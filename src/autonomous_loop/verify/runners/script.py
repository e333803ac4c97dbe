"""Finds calls of test runners in `package.json` scripts and in configured commands.

It understands only plain commands one after the other (`a && b; c`). A script with pipes, redirections,
alternatives or substitutions is not analysed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autonomous_loop.verify.project.package_json import Package
from autonomous_loop.verify.project.runner_options import NODE_VALUES

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<and>&&|;)|(?P<word>(?:[^\s'"\\;&|()<>`$]|\$(?!\()|\\.|'[^']*'|"(?:\\.|[^"\\`$]|\$(?!\())*")+)"""
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
# Programs that start the program named after them.
_WRAPPERS = frozenset({
    "npx", "bunx", "pnpx", "npm", "pnpm", "yarn", "bun", "exec", "dlx", "x", "run", "node", "tsx",
    "cross-env", "env-cmd", "dotenv", "c8", "nyc", "time",
})  # fmt: skip
_NODES = frozenset({"node", "tsx"})
_COVERAGE = frozenset({
    "-r", "--reporter", "-o", "--reports-dir", "--report-dir", "--temp-directory", "-t", "--temp-dir", "-n",
    "--include", "-x", "--exclude", "-e", "--extension", "--src", "--lines", "--functions", "--branches",
    "--statements", "-c", "--config", "--nycrc-path", "--cwd", "-i", "--require",
})  # fmt: skip
# Their options that take the next word, if that word is not a program.
_VALUES_OF_WRAPPERS: Mapping[str, frozenset[str]] = {
    "node": NODE_VALUES,
    "tsx": NODE_VALUES | {"--tsconfig"},
    "npm": frozenset({"-w", "--workspace", "--prefix", "--package"}),
    "npx": frozenset({"-p", "--package", "-w", "--workspace", "--prefix"}),
    "pnpm": frozenset({"-C", "--dir", "--filter", "-F", "--package"}),
    "yarn": frozenset({"--cwd", "-p", "--package"}),
    "dotenv": frozenset({"-e", "-v", "-p"}),
    "env-cmd": frozenset({"-f", "--file", "-e", "--environments", "-r", "--rc-file"}),
    "c8": _COVERAGE,
    "nyc": _COVERAGE,
    "time": frozenset({"-f", "--format", "-o", "--output"}),
}
# Programs that only look at code and run no test. The gate runs them, and they must not keep tests from
# running.
_LINTERS = frozenset({
    "eslint", "prettier", "biome", "xo", "standard", "ts-standard", "tslint", "oxlint", "stylelint", "dprint",
    "cspell", "knip", "depcheck", "publint", "attw", "markdownlint", "svelte-check", "echo",
})  # fmt: skip
_COMPILERS = frozenset({"tsc", "vue-tsc", "tsgo"})
_NAMED_AFTER_ONE = re.compile(
    r"(?:[a-z]*lint|format|fmt|prettier|type-?check|types?:check|check[:-](?:types?|format|lint))(?![a-z])"
)
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
# Commands that a manager runs itself, although a script may have the same name.
_OWN = {"bun": frozenset({"test", "x", "build", "install", "i", "add"})}
_VALUED = frozenset({"--workspace", "--prefix", "-C", "--dir", "--cwd", "--filter", "-F", "--loglevel"})
_BEFORE_NAME = frozenset({"run", "run-script", "workspaces", "foreach", "workspace"})
_MOST_DEEP = 6

NODE_TEST, VITEST, JEST, PLAYWRIGHT, MOCHA = "node:test", "vitest", "jest", "playwright", "mocha"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a test runner.

    Attributes:
        runner: its name.
        words: as written in the shell text, with quotes, including the words that start the runner.
        before: commands that run first.
        folder: the folder in the tree.
    """

    runner: str
    words: tuple[str, ...]
    before: tuple[str, ...] = ()
    folder: str = ""

    @property
    def text(self) -> str:
        """The whole call as shell text."""
        return " && ".join([*self.before, " ".join(self.words)])

    @property
    def at(self) -> int:
        """The position of the runner itself among the words."""
        return _runner_at(self.words)[1]


def commands_in(text: str) -> list[tuple[str, ...]] | None:
    """Return the plain commands of a shell text; None if it has anything else."""
    found: list[list[str]] = [[]]
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        if match["and"]:
            found.append([])
        elif match["word"]:
            found[-1].append(match["word"])
        position = match.end()
    return [tuple(words) for words in found if words]


def calls_in(text: str, packages: Sequence[Package], folder: str = "") -> list[Call]:
    """Return the runners that a shell text calls, directly or through package scripts, in order.

    Args:
        text: such as `npm test`.
        packages: the tree's packages.
        folder: where it runs.
    """
    return list(_calls(text, packages, folder, 0))


def _calls(text: str, packages: Sequence[Package], folder: str, depth: int) -> Iterator[Call]:
    before: list[str] = []
    for words in commands_in(text) or []:
        if words[0] == "cd" and len(words) == 2 and not words[1].startswith(("/", "$", "~")):
            folder = posixpath.normpath(posixpath.join(folder, unquoted(words[1]))).removeprefix(".")
            before = []
            continue
        runner, _ = _runner_at(words)
        found = [Call(runner, words, folder=folder)] if runner else []
        if not runner and depth < _MOST_DEEP:
            found = list(_by_script(words, packages, folder, depth))
        if not found:
            before += [] if _only_looks(words, packages, folder, depth) else [" ".join(words)]
            continue
        for call in found:
            # Commands that ran first in the outer script ran in its folder, so do not repeat them elsewhere.
            yield replace(call, before=(*before, *call.before)) if call.folder == folder else call
        before = []


def _only_looks(words: Sequence[str], packages: Sequence[Package], folder: str, depth: int) -> bool:
    """Return whether a command only looks at code: a linter, or a script that is or is named like one."""
    program, *rest = _program(words) or [""]
    if program in _LINTERS or (program in _COMPILERS and _makes_nothing(rest)):
        return True
    wanted = _asked(_without_assignments(words), packages, folder)
    if wanted is None:
        return False
    name, chosen, _ = wanted
    if _NAMED_AFTER_ONE.match(name):
        return True
    texts = [package.scripts[name] for package in chosen if name in package.scripts]
    inner = [one for text in texts for one in commands_in(text) or [("",)]]
    return (
        bool(inner)
        and depth < _MOST_DEEP
        and all(_only_looks(one, packages, folder, depth + 1) for one in inner)
    )


def _runner_at(words: Sequence[str]) -> tuple[str, int]:
    """Return the test runner that a plain command starts ("": none), and its position."""
    named = [unquoted(word) for word in words]
    at = _program_at(words)
    for node, word in enumerate(named[:at]):
        if _bare(word) in _NODES and "--test" in named[node:at]:
            return NODE_TEST, node
    if at == len(words):
        return "", 0
    name, rest = _bare(named[at]), named[at + 1 :]
    if name in {VITEST, JEST}:
        return (name, at) if not rest or rest[0] not in {"bench", "list", "init", "related"} else ("", 0)
    if name in {MOCHA, "_mocha"}:
        return MOCHA, at
    if name == PLAYWRIGHT or (name == "cli" and "/@playwright/test/" in named[at]):
        return (PLAYWRIGHT, at) if rest[:1] == ["test"] else ("", 0)
    return "", 0


def _makes_nothing(options: Sequence[str]) -> bool:
    """Return whether a compiler only checks."""
    at = options.index("--noEmit") if "--noEmit" in options else -1
    return at >= 0 and options[at + 1 : at + 2] != ["false"]


def _program(words: Sequence[str]) -> list[str]:
    """Return the program that runs in the end, by its bare name, with its arguments."""
    at = _program_at(words)
    named = [unquoted(word) for word in words[at:]]
    return [_bare(named[0]), *named[1:]] if named else []


def _program_at(words: Sequence[str]) -> int:
    """Return the position of the first program that is no wrapper; past the last word if there is none."""
    valued: frozenset[str] = frozenset()
    for at, raw in enumerate(words):
        name = _bare(unquoted(raw))
        if raw.startswith("-") or _ASSIGNMENT.fullmatch(raw) or (at and words[at - 1] in valued):
            continue
        if name not in _WRAPPERS:
            return at
        valued = _VALUES_OF_WRAPPERS.get(name, valued)
    return len(words)


def _bare(word: str) -> str:
    return re.sub(r"\.[cm]?js$", "", posixpath.basename(word))


def _without_assignments(words: Sequence[str]) -> list[str]:
    return list(words[next((at for at, word in enumerate(words) if not _ASSIGNMENT.fullmatch(word)), 0) :])


def _by_script(words: Sequence[str], packages: Sequence[Package], folder: str, depth: int) -> Iterator[Call]:
    """Yield calls that go through a package manager."""
    start = next((at for at, word in enumerate(words) if not _ASSIGNMENT.fullmatch(word)), len(words))
    environment, words = words[:start], [unquoted(one) for one in words[start:]]
    if words[:1] == ["npx"] and len(words) > 1:
        words = words[1:]
    if not words:
        return
    wanted = _asked(words, packages, folder)
    if wanted is None:
        return
    name, chosen, added = wanted
    for package in chosen:
        text = package.scripts.get(name)
        if text is None:
            continue
        first = package.scripts.get(f"pre{name}")
        for call in _calls(f"{first} && {text}" if first else text, packages, package.folder, depth + 1):
            yield replace(call, words=(*environment, *call.words, *added))


def _asked(
    words: Sequence[str], packages: Sequence[Package], folder: str
) -> tuple[str, list[Package], list[str]] | None:
    """Return the script, the packages and the arguments in a package manager's call."""
    manager = words[0]
    if manager not in {*_MANAGERS, "turbo", "lerna"}:
        return None
    options, plain, added = _split(words)
    if not plain or plain[0] in _OWN.get(manager, ()):
        return None
    members = [one for one in packages if one.is_member]
    if manager in {"turbo", "lerna"}:
        return (plain[-1], members, []) if members else None
    if manager == "npm" and plain[0] not in {"test", "t", "tst", "run", "run-script"}:
        return None
    name = "test" if plain[-1] in {"t", "tst"} else plain[-1]
    if plain[0] == "workspace":
        chosen = _named(plain[1:2], packages)
    elif plain[0] == "workspaces" or {"-ws", "--workspaces", "-r", "--recursive"} & set(options):
        chosen = members
    elif manager == "pnpm" and {"-w", "--workspace-root"} & set(options):
        chosen = [one for one in packages if not one.folder]
    elif named := [options[key] for key in ("-w", "--workspace", "--filter", "-F") if key in options]:
        chosen = _named(named, packages)
    elif inside := [options[key] for key in ("--prefix", "-C", "--dir", "--cwd") if key in options]:
        chosen = _named([posixpath.join(folder, inside[-1])], packages)
    else:
        chosen = [one for one in packages if one.folder == folder]
    return name, chosen, added


def _split(words: Sequence[str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Return a package manager's options, its words up to the script's name, and the script's arguments."""
    manager, *rest = words
    valued = _VALUED | {"-w"} if manager == "npm" else _VALUED
    options: dict[str, str] = {}
    plain: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            return options, plain, rest
        if word.startswith("-"):
            key, sep, value = word.partition("=")
            options[key] = value if sep else (rest.pop(0) if key in valued and rest else "")
        elif not plain or plain[-1] in _BEFORE_NAME or plain[-2:-1] == ["workspace"]:
            plain.append(word)
        else:
            return options, plain, [word, *rest]
    return options, plain, []


def _named(names: Iterable[str], packages: Sequence[Package]) -> list[Package]:
    """Return packages by name or folder."""
    wanted = {posixpath.normpath(one) for one in names} | set(names)
    return [one for one in packages if one.name in wanted or (one.folder or ".") in wanted]


def unquoted(word: str) -> str:
    """Return a word without its quotes."""
    return re.sub(r"""['"]|\\(?=.)""", "", word)
