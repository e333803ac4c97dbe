"""Verdicts on real history: two neighbouring releases of a package become two commits, and `prove` judges.

    python scripts/real_history.py            # every case below, as a Markdown table
    python scripts/real_history.py toolz      # the cases of one package, with the whole verdict

Source distributions are fetched by name with pip when this runs; nothing of theirs is kept. It needs what
`prove` needs: git, and root or Landlock.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


def with_packages(*names: str) -> tuple[str, ...]:
    """Options that let the tests run in an environment of their own."""
    python = '"$HOME/environment/bin/python"'
    setup = f"python3 -m venv $HOME/environment; {python} -m pip install -q pytest {' '.join(names)}"
    return ("--setup", setup, "--test-command", f"env PYTHONPATH=src {python} -m pytest")


SRC = ("--test-command", "env PYTHONPATH=src python -m pytest")


@dataclass(frozen=True)
class Case:
    """Two releases, and what is made of them.

    Attributes:
        what: "release": the newer one as it was published; "tests only": the newer tests on the older code;
            "tests only, skipped": the same, and every test that differs is marked to be skipped; "code only":
            the newer code with the older tests.
        options: of `prove`.
    """

    package: str
    old: str
    new: str
    what: str = "release"
    options: tuple[str, ...] = ()


CASES = (
    Case("tabulate", "0.8.9", "0.8.10"),
    Case("pluggy", "1.4.0", "1.5.0", options=SRC),
    Case("parse", "1.20.1", "1.20.2"),
    Case("cachetools", "5.4.0", "5.5.0", options=SRC),
    Case("wcwidth", "0.2.12", "0.2.13", options=("--test-command", "python -m pytest -o addopts=")),
    Case("humanize", "4.9.0", "4.10.0", options=with_packages("freezegun", "coverage", "-e .")),
    Case("python-slugify", "8.0.3", "8.0.4", options=with_packages("text-unidecode")),
    Case("boltons", "24.0.0", "24.1.0", options=with_packages("'pytest<8'")),
    Case("click", "8.1.7", "8.1.8", options=SRC),
    Case("click", "8.1.7", "8.1.8", options=(*SRC, "--set", "runner-keys=true")),
    Case("toolz", "0.12.1", "1.0.0"),
    Case("more-itertools", "10.4.0", "10.5.0"),
    Case("inflection", "0.5.0", "0.5.1"),
    Case("tomli", "2.0.1", "2.0.2", options=SRC),
    Case("tabulate", "0.8.9", "0.8.10", "tests only"),
    Case("parse", "1.20.1", "1.20.2", "tests only"),
    Case("pluggy", "1.4.0", "1.5.0", "tests only", SRC),
    Case("pluggy", "1.4.0", "1.5.0", "tests only, skipped", SRC),
    Case("parse", "1.20.1", "1.20.2", "code only", ("--test", "tests/test_bugs.py")),
    Case("parse", "1.20.2", "1.20.1"),
)


def main() -> int:
    wanted = sys.argv[1:]
    print("| package | commit | verdict | what was seen | s |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="real-history-") as made:
        for number, case in enumerate(CASES):
            if not wanted or case.package in wanted:
                print(judged(case, Path(made) / str(number), verbose=bool(wanted)), flush=True)
    return 0


def judged(case: Case, folder: Path, *, verbose: bool) -> str:
    """A row of the table."""
    folder.mkdir()
    try:
        repository = commits(case, folder)
    except subprocess.CalledProcessError as error:
        return f"| {case.package} | {case.old} to {case.new} | not made | {error.cmd[0]} failed | |"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "autonomous_loop", "prove", "--project", repository, "--base", "HEAD~1",
         "--head", "HEAD", "--json", *case.options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    found = json.loads(done.stdout) if done.stdout.strip() else {}
    if verbose:
        print(done.stderr, json.dumps(found, indent=1), file=sys.stderr)
    title = f"{case.old} to {case.new}" + ("" if case.what == "release" else f", {case.what}")
    verdict = {0: "accepted", 1: "refused", 2: "no verdict"}.get(done.returncode, "crashed")
    return f"| {case.package} | {title} | {verdict} | {seen(found)} | {took:.0f} |"


def seen(found: dict) -> str:
    """The proof, or the reasons, in a few words."""
    if proof := found.get("proof"):
        red, green, suite = proof["red"], proof["green"], proof["regression"]
        said = [f"red {failed(red)} failed"] if red else []
        said += [f"green {green['counts']['passed']} passed"] if green else []
        said += [f"suite {suite['counts']['passed']} passed"] if suite else []
        return ", ".join([*said, *proof["marks"]])
    if reasons := found.get("reasons"):
        return "; ".join(f"{one['code']}: {short(one['text'])}" for one in reasons)
    return short(found.get("error", ""))


def failed(run: dict) -> int:
    return run["counts"]["failed"] + run["counts"]["errors"]


def short(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= 160 else line[:157] + "..."


def commits(case: Case, folder: Path) -> Path:
    """A repository of two commits."""
    old, new = unpacked(case.package, case.old, folder), unpacked(case.package, case.new, folder)
    repository = folder / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    commit(repository, old, f"{case.package} {case.old}")
    tests = {path for tree in (old, new) for path in files(tree) if is_test(path)}
    if case.what.startswith("tests only"):
        changed = {path for path in tests if content(old / path) != content(new / path)}
        overlay(old, new, tests)
        new = old
        for path in changed if case.what.endswith("skipped") else ():
            with (new / path).open("a") as file:
                file.write('\n\nimport pytest\n\npytestmark = pytest.mark.skip("later")\n')
    elif case.what == "code only":
        overlay(new, old, tests)
    commit(repository, new, f"{case.package} {case.new}")
    return repository


def unpacked(package: str, version: str, folder: Path) -> Path:
    """The source distribution, by name from the registry that pip is set up for."""
    there = folder / version
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
         "--no-binary", package, "-d", there, f"{package}=={version}"],
        check=True,
    )  # fmt: skip
    (archive,) = there.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", archive, "-C", there, "--no-same-owner"], check=True)
    archive.unlink()
    (top,) = there.iterdir()
    return top


def files(tree: Path) -> list[str]:
    return [str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()]


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def is_test(path: str) -> bool:
    parts = path.split("/")
    return parts[-1].startswith("test_") or bool({"tests", "test", "testing"} & set(parts[:-1]))


def overlay(tree: Path, source: Path, paths: set[str]) -> None:
    for path in paths:
        if (source / path).is_file():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, tree / path)
        else:
            (tree / path).unlink(missing_ok=True)


def commit(repository: Path, tree: Path, message: str) -> None:
    git(repository, "rm", "-r", "-q", "-f", "--ignore-unmatch", ".")
    shutil.copytree(tree, repository, dirs_exist_ok=True)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", message)


def git(folder: Path, *args: str) -> None:
    identity = ("-c", "user.name=history", "-c", "user.email=history@localhost")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *identity, *args], cwd=folder, env=env, check=True)


if __name__ == "__main__":
    sys.exit(main())
