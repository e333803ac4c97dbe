"""`cargo test`: reads the output of each test binary; the canary is an integration test.

A test inside the source (`src/**`, documentation examples) cannot be laid over other code: see
`selection.stands_in_source`.
"""

from __future__ import annotations

import posixpath
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary, new_word
from autonomous_loop.verify.results.report import Case, ReportError
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.below import below, folders_with
from autonomous_loop.verify.runners.cargo_output import ASKED, PLANTED, WHERE, CargoOutput

COMMAND = "cargo test"
_MANIFEST, _OUTPUT = "Cargo.toml", "cargo.txt"
_SOURCES = frozenset({"src", "tests"})
_NEVER = ("target", "vendor", "testdata", "node_modules")
_CALL = re.compile(r"\bcargo(?:\s+\+\S+)?\s+(?:test|t)\b(?!\s*=)")
_FLAGS = "--no-fail-fast --message-format=json"
# Options that hide or mix up the output of test binaries.
_NOISE = re.compile(
    r"(?<!\S)(?:--no-?capture|-q|--quiet|--no-fail-fast|(?:--message-format|--color|--format)(?:=|\s+)\S+)(?!\S)"
)
# Options that choose crates and targets; the loop chooses these itself.
_WHICH = re.compile(
    r"(?<!\S)(?:--workspace|--all|--all-targets|--lib|--doc|--bins|--tests|--examples|--benches"
    r"|(?:--exclude|--package|-p|--manifest-path|--bin|--test|--example|--bench)(?:=|\s+)\S+)(?!\S)"
)
# It prints nothing itself, so that people read only about the project.
_CANARY = """#[test]
fn canary_{word}() {{
    std::panic::set_hook(Box::new(|_| {{}}));
    panic!("{word}");
}}
"""
# Output for people: everything but cargo's own messages, except rustc's errors.
_SHOW = r"""sed -n '/^loop-/d; /^{{"reason":/!p; /^{{"reason":.*"level":"error"/{{
  s/.*"rendered":"\(\(\\.\|[^"\\]\)*\)".*/\1/; s/\\n/\n/g; s/\\"/"/g; p
}}' {report} >&2
exit $code"""
_WHOLE = """{{ printf '%s\\n' {head}"$PWD" {planted}; {command}; }} >{report} 2>&1
code=$?
"""
# Run one target at a time: one that does not compile would keep the others from running.
_EACH = """{{ printf '%s\\n' {head}"$PWD" {planted}; code=0
while [ $# -gt 0 ]; do
  printf '%s\\n' {asked}"$3"
  {command} || code=$?
  shift 3
done; }} >{report} 2>&1
"""


class Cargo:
    """Implements `Runner`."""

    name = "cargo test"
    blinds = "a filter or --skip after `--`, `--test` or `--lib`, harness = false, std::process::exit"

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return bool(_CALL.search(command))

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`: one step for each workspace, and one for each crate outside of them."""
        found = list(folders_with(_MANIFEST, facts, never=_NEVER))
        documents = {folder: _document(posixpath.join(folder, _MANIFEST), facts) for folder in found}
        roots = [folder for folder in found if "workspace" in documents[folder]]
        return [
            Step(self, f"{COMMAND} --workspace" if folder in roots else COMMAND, folder, guessed=True)
            for folder in found
            if folder in roots or not any(_belongs(folder, root, documents[root]) for root in roots)
        ]

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`: any source file may hold tests."""
        del facts
        return path.endswith(".rs")

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        crates = _crates(step, facts)
        canary = _canary(files, crates)
        planted = [canary.path] if canary else []
        report = f"{folders.run}/{_OUTPUT}"
        arguments = [
            one
            for crate, target in _targets([*files, *planted], crates, step, facts)
            for one in (crate, *target)
        ]
        return Invocation(
            command=((_EACH if files else _WHOLE) + _SHOW).format(
                head=WHERE,
                asked=ASKED,
                planted=shlex.join(f"{PLANTED}{path}" for path in planted),
                command=_command(step.command, each=bool(files)),
                report=shlex.quote(report),
            ),
            arguments=arguments if files else [],
            environment={"CARGO_TERM_COLOR": "never", "CARGO_TERM_QUIET": "false"},
            canaries=[canary] if canary else [],
            reports=[report],
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        crates = _crates(step, facts)
        text = "\n".join(data.decode("utf-8", "replace") for data in reports.values())
        output = CargoOutput(
            paths=frozenset(below(step, facts, marker="", suffix=".rs")),
            own=frozenset(crate.name.replace("-", "_") for crate in crates),
        )
        cases = output.cases(text)
        if not cases:
            raise ReportError(output.said or "cargo said nothing")
        return cases

    def died_importing(self, output: str) -> str:
        """See `Runner`: a target that does not compile is a failing case of its files."""
        del output
        return ""


@dataclass(frozen=True, slots=True)
class _Crate:
    """A package.

    Attributes:
        folder: as the command sees it; "" is the step's own.
        library: the root file of its library, "" without one.
        binaries: whether it has any.
        named: integration tests by path, if the manifest names them.
        finds_tests: whether `tests/*.rs` need no entry in the manifest.
    """

    folder: str
    name: str
    library: str
    binaries: bool
    named: Mapping[str, str]
    finds_tests: bool


def _belongs(folder: str, root: str, workspace: Mapping[str, Any]) -> bool:
    """Return whether a folder is below a workspace's and not excluded from it."""
    if folder == root or (root and not folder.startswith(f"{root}/")):
        return False
    table = workspace.get("workspace")
    left_out = table.get("exclude", []) if isinstance(table, dict) else []
    inner = folder.removeprefix(f"{root}/") if root else folder
    return not any(inner == one or inner.startswith(f"{one}/") for one in left_out)


def _document(path: str, facts: Facts) -> Mapping[str, Any]:
    try:
        return tomllib.loads((facts.read(path) or b"").decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _crates(step: Step, facts: Facts) -> list[_Crate]:
    """Return the packages below a step, deepest first."""
    found = []
    for folder in folders_with(_MANIFEST, facts, never=_NEVER):
        if step.folder and folder != step.folder and not folder.startswith(f"{step.folder}/"):
            continue
        document = _document(posixpath.join(folder, _MANIFEST), facts)
        if isinstance(package := document.get("package"), dict):
            found.append(_crate(step, folder, package, document, facts))
    return found


def _crate(
    step: Step, folder: str, package: Mapping[str, Any], document: Mapping[str, Any], facts: Facts
) -> _Crate:
    def there(path: str) -> bool:
        return posixpath.join(folder, path) in facts.every_path

    library = document.get("lib", {})
    path = str(library.get("path", "src/lib.rs")) if isinstance(library, dict) else "src/lib.rs"
    listed = document.get("test", [])
    tests = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    old = str(package.get("edition", "2015")) == "2015" and "edition.workspace" not in package
    inner = step.inner(folder) if folder != step.folder else ""
    below_bin = posixpath.join(folder, "src/bin/")
    return _Crate(
        folder=inner,
        name=str(package.get("name", "")),
        library=path if there(path) else "",
        binaries=there("src/main.rs") or any(one.startswith(below_bin) for one in facts.paths),
        named={str(one.get("path", f"tests/{one.get('name')}.rs")): str(one.get("name")) for one in tests},
        finds_tests=bool(package.get("autotests", not (old and tests))),
    )


def _home(path: str, crates: Sequence[_Crate]) -> _Crate | None:
    for crate in crates:
        if not crate.folder or path.startswith(f"{crate.folder}/"):
            first, *others = path.removeprefix(f"{crate.folder}/" if crate.folder else "").split("/")
            # Below another `src` or `tests` it belongs to a crate that does not exist (yet).
            return crate if first in _SOURCES or not _SOURCES.intersection(others) else None
    return None


def _targets(
    files: Sequence[str], crates: Sequence[_Crate], step: Step, facts: Facts
) -> list[tuple[str, tuple[str, str]]]:
    """Return manifest, option and files (tab-separated) of each target that runs these files."""
    targets: dict[tuple[str, str], list[str]] = {}
    for path in files:
        crate = _home(path, crates)
        if crate is None:
            # cargo will report what is missing.
            folder = re.split(r"(?:^|/)(?:src|tests)/", path, maxsplit=1)[0]
            targets.setdefault((posixpath.join(folder, _MANIFEST), "--tests"), []).append(path)
            continue
        manifest = posixpath.join(crate.folder, _MANIFEST)
        inner = path.removeprefix(f"{crate.folder}/") if crate.folder else path
        for option in _options(inner, crate):
            # An example in the documentation is a fenced block.
            if option != "--doc" or b"```" in (facts.read(step.outer(path)) or b""):
                targets.setdefault((manifest, option), []).append(path)
    return [(manifest, (option, "\t".join(files))) for (manifest, option), files in targets.items()]


def _options(path: str, crate: _Crate) -> list[str]:
    if path in crate.named:
        return [f"--test={crate.named[path]}"]
    parts = path.split("/")
    if parts[0] == "tests":
        return [f"--test={parts[1].removesuffix('.rs')}"] if len(parts) > 1 else []
    return [
        *(["--lib", "--doc"] if crate.library else []),
        *(["--bins"] if crate.binaries else []),
    ]


def _canary(files: Sequence[str], crates: Sequence[_Crate]) -> Canary | None:
    """Place it beside the integration tests of a crate that discovers them; None if no crate does."""
    able = [crate for crate in crates if crate.finds_tests]
    wanted = [crate for path in files if (crate := _home(path, crates)) in able and crate]
    crate = next(iter(wanted or able[::-1]), None)
    if crate is None:
        return None
    word = new_word()
    return Canary(word, posixpath.join(crate.folder, f"tests/{word}.rs"), _CANARY.format(word=word).encode())


def _command(command: str, *, each: bool) -> str:
    command = _NOISE.sub("", command)
    call = _CALL.search(command)
    if call is None:  # steps are made only of recognised commands
        raise ValueError(command)
    head, rest = command[: call.end()], command[call.end() :]
    if not each:
        return f"( {head} {_FLAGS}{rest}\n)"
    # Words after `--` are for the test binary.
    mine, *theirs = re.split(r"(?<!\S)--(?!\S)", rest, maxsplit=1)
    told = "--".join([_WHICH.sub("", mine), *theirs])
    return f'( {head} {_FLAGS} --manifest-path "$1" "$2"{told}\n)'
