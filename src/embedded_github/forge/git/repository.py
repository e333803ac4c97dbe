"""A bare repository, read and moved through git itself."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded_github.forge.models import (
    ZERO_SHA,
    Commit,
    Comparison,
    Entry,
    FileChange,
    Signature,
)

GIT_ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
"""What every git process of the forge runs with: nothing of the machine's or the person's own settings."""

_DEADLINE_S = 120
_COMMIT_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_TYPES = {"100644": "file", "100755": "file", "120000": "symlink", "160000": "submodule", "040000": "dir"}


class GitError(Exception):
    """A git command failed; the text is what git said."""


class GitRepository:
    """One bare repository.

    Args:
        path: Its folder. Everything is read from it at each call, nothing is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """Run git in the repository and return its standard output.

        Raises:
            GitError: git ended with another code than 0.
        """
        done = subprocess.run(
            ["git", "--git-dir", str(self.path), *arguments],
            input=stdin,
            env={**GIT_ENVIRONMENT, **(environment or {})},
            capture_output=True,
            check=False,
            timeout=_DEADLINE_S,
        )
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed")
        return done.stdout

    def text(self, *arguments: str) -> str:
        """Return what git printed, without the white space around it."""
        return self.run(*arguments).decode(errors="replace").strip()

    # -- refs

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return every ref below `prefix` with the object it names, in order of name."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def ref(self, name: str) -> str | None:
        """Return the object that the full ref `name` points at, or None."""
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        except GitError:
            return None

    def branches(self) -> dict[str, str]:
        """Return the branches, by short name, with their commits."""
        return {name.removeprefix("refs/heads/"): sha for name, sha in self.refs("refs/heads/").items()}

    def branch(self, name: str) -> str | None:
        """Return the commit of a branch, or None."""
        return self.ref(f"refs/heads/{name}")

    def update_ref(self, name: str, new: str, old: str | None = None) -> None:
        """Set a ref (forty zeros delete it), only if it is still `old` (forty zeros: only if it is new).

        Raises:
            GitError: it is not, or the name is not a valid ref.
        """
        if new == ZERO_SHA:
            self.run("update-ref", "-d", name, *([old] if old else []))
        else:
            self.run("update-ref", name, new, *([old] if old else []))

    def valid_ref(self, name: str) -> bool:
        """Whether git would take this name."""
        try:
            self.run("check-ref-format", name)
        except GitError:
            return False
        return True

    # -- commits

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch, tag or (abbreviated) SHA names, or None."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            sha = self.ref(f"{name}^{{commit}}")
            if sha is not None:
                return sha
        return None

    def commit(self, sha: str) -> Commit:
        """Return one commit.

        Raises:
            GitError: there is none of that name.
        """
        return self.commits("--no-walk", sha)[0]

    def commits(self, *revisions: str, paths: Sequence[str] = ()) -> tuple[Commit, ...]:
        """Return the commits that `git log` shows for these revisions and options, its order."""
        out = self.run("log", f"--format={_COMMIT_FORMAT}", *revisions, "--", *paths)
        return tuple(
            _commit(record.lstrip("\n"))
            for record in out.decode(errors="replace").split("\x00\x01")
            if record.strip()
        )

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        try:
            self.run("merge-base", "--is-ancestor", older, newer)
        except GitError:
            return False
        return True

    def names(self, sha: str) -> list[tuple[str, str]]:
        """Return the paths a commit changed against its first parent, each with its `FileChange` status."""
        arguments = (
            "diff-tree",
            "--root",
            "--no-commit-id",
            "--name-status",
            "--no-renames",
            "-r",
            "-z",
            "-m",
        )
        fields = self.run(*arguments, "--first-parent", sha).decode(errors="replace").split("\x00")
        return [(path, _STATUS[status]) for status, path in zip(fields[::2], fields[1::2], strict=False)]

    def changed_files(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Return the difference between two trees, file by file."""
        raw = self.run("diff", "--raw", "-z", "--no-abbrev", "-M", base, head).decode(errors="replace")
        fields = raw.split("\x00")
        numbers = self._numbers(base, head)
        changes: list[FileChange] = []
        position = 0
        while position + 1 < len(fields):
            meta = fields[position].split(" ")
            letter = meta[4][0]
            renamed = letter in "RC"
            previous = fields[position + 1] if renamed else None
            path = fields[position + 2] if renamed else fields[position + 1]
            position += 3 if renamed else 2
            added, removed = numbers.get(path, (0, 0))
            sha = meta[2] if letter == "D" else meta[3]
            patch = self._patch(base, head, [previous, path] if previous else [path])
            changes.append(FileChange(path, _STATUS[letter], added, removed, sha, previous, patch))
        return tuple(changes)

    def compare(self, base: str, head: str) -> Comparison | None:
        """Return how two commits stand to each other, or None when they share no history."""
        try:
            merge_base = self.text("merge-base", base, head)
        except GitError:
            return None
        behind, ahead = self.text("rev-list", "--left-right", "--count", f"{base}...{head}").split()
        commits = self.commits("--reverse", "--topo-order", f"{base}..{head}")
        files = self.changed_files(merge_base, head)
        return Comparison(base, head, merge_base, int(ahead), int(behind), commits, files)

    def merge_tree(self, base: str, head: str) -> str | None:
        """Return the tree of merging `head` into `base`, or None on a conflict."""
        try:
            return self.text("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError:
            return None

    def commit_tree(self, tree: str, parents: Sequence[str], message: str, who: Signature) -> str:
        """Write a commit and return its SHA; no ref is moved."""
        environment = {
            "GIT_AUTHOR_NAME": who.name,
            "GIT_AUTHOR_EMAIL": who.email,
            "GIT_AUTHOR_DATE": who.date,
            "GIT_COMMITTER_NAME": who.name,
            "GIT_COMMITTER_EMAIL": who.email,
            "GIT_COMMITTER_DATE": who.date,
        }
        options = [option for parent in parents for option in ("-p", parent)]
        out = self.run("commit-tree", tree, *options, stdin=message.encode(), environment=environment)
        return out.decode().strip()

    def empty_tree(self) -> str:
        """Return the tree without entries, to compare a first commit with."""
        return self.run("hash-object", "-t", "tree", "-w", "--stdin").decode().strip()

    # -- trees

    def entries(
        self, revision: str, folder: str = "", *, recursive: bool = False
    ) -> tuple[Entry, ...] | None:
        """Return what a folder holds at a revision; None when there is no such folder."""
        where = f"{revision}:{folder.strip('/')}"
        try:
            if self.text("cat-file", "-t", where.rstrip(":") if not folder.strip("/") else where) == "blob":
                return None
            out = self.run("ls-tree", "-l", "-z", *(["-r"] if recursive else []), where).decode(
                errors="replace"
            )
        except GitError:
            return None
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        return tuple(_entry(line, prefix) for line in out.split("\x00") if line)

    def entry(self, revision: str, path: str) -> Entry | None:
        """Return the one entry at `path`, or None."""
        out = self.run("ls-tree", "-l", "-z", "--full-tree", revision, "--", path.strip("/")).decode(
            errors="replace"
        )
        return _entry(out.rstrip("\x00"), "") if out else None

    def read(self, revision: str, path: str) -> bytes | None:
        """Return a file's bytes at a revision, or None when there is no such file."""
        try:
            return self.run("cat-file", "blob", f"{revision}:{path.strip('/')}")
        except GitError:
            return None

    def blob(self, sha: str) -> bytes:
        """Return a blob's bytes.

        Raises:
            GitError: there is no such blob.
        """
        return self.run("cat-file", "blob", sha)

    def summary(self, base: str, head: str) -> tuple[int, int, int, int]:
        """Return how many commits and files `head` changed since it left `base`, and lines added, removed."""
        try:
            merge_base = self.text("merge-base", base, head)
        except GitError:
            return 0, 0, 0, 0
        numbers = self._numbers(merge_base, head).values()
        commits = int(self.text("rev-list", "--count", f"{base}..{head}"))
        return commits, len(numbers), sum(one[0] for one in numbers), sum(one[1] for one in numbers)

    def _numbers(self, base: str, head: str) -> dict[str, tuple[int, int]]:
        fields = self.run("diff", "--numstat", "-z", "-M", base, head).decode(errors="replace").split("\x00")
        numbers: dict[str, tuple[int, int]] = {}
        position = 0
        while position < len(fields) and fields[position]:
            added, removed, path = fields[position].split("\t", 2)
            if not path:  # a rename: the old and the new name follow as fields of their own
                path = fields[position + 2]
                position += 2
            numbers[path] = (0, 0) if added == "-" else (int(added), int(removed))
            position += 1
        return numbers

    def _patch(self, base: str, head: str, paths: Sequence[str]) -> str | None:
        text = self.run("diff", "-M", base, head, "--", *paths).decode(errors="replace")
        start = text.find("\n@@ ")
        return text[start + 1 :].rstrip("\n") if start >= 0 else None


def _commit(record: str) -> Commit:
    sha, tree, parents, an, ae, ad, cn, ce, cd, message = record.split("\x00")
    author = Signature(an, ae, ad)
    return Commit(sha, tree, tuple(parents.split()), author, Signature(cn, ce, cd), message.rstrip("\n"))


def _entry(line: str, prefix: str) -> Entry:
    meta, name = line.split("\t", 1)
    mode, _, sha, size = meta.split()
    return Entry(prefix + name, _TYPES.get(mode, "file"), sha, 0 if size == "-" else int(size), mode)
