"""The loop's own bare repository: objects, trees and the remote's branches."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from git import Repo
from git.exc import BadName, BadObject

from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.work import Change
from autonomous_loop.errors import RepositoryError, SandboxCallError, ServiceError, Superseded
from autonomous_loop.git.command import Git, GitError, LockedError, failed, patiently
from autonomous_loop.git.tree_edit import Entry, graft, look_up, pack_of

PACK_LIMIT = 512 * 1024 * 1024
# What git says of a ref that somebody else moved since it was looked at.
MOVED = re.compile(
    r"non-fast-forward|fetch first|stale info|incorrect old value provided"
    r"|cannot lock ref .*(?:is at \S+ but expected|reference already exists|is missing but expected)"
)
# And where another process moves one right now, or was killed while it did.
LOCKED = re.compile(r"Unable to create '([^'\n]+\.lock)': File exists")
# What differs between two trees: each path with what it is in the one and in the other (None: not there).
Differences = Mapping[str, tuple[Entry | None, Entry | None]]
# On a plain git directory the other side runs here too: its hooks are not ours to run, its owner may differ.
OTHER_SIDE = "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c safe.directory=*"


class Repository:
    """Objects and refs; implements `Trees`.

    Args:
        git: of a bare repository made by `Repository.create`.
        remote: an URL or a path; what is pushed goes there.
        identity: name and e-mail address of the commits.
    """

    def __init__(self, git: Git, *, remote: str, identity: tuple[str, str]) -> None:
        self.git = git
        self.remote = remote
        self._identity = identity
        self._repo = Repo(str(git.git_dir))
        # The last two trees that were compared: different parts ask for the same ones after each other.
        self._compared: tuple[str, str, list[tuple[str, str, Entry | None, Entry | None]]] = ("", "", [])

    @classmethod
    def create(
        cls, folder: Path, *, remote: str, identity: tuple[str, str], path: str, auth: Mapping[str, str]
    ) -> Repository:
        """A new bare repository in `folder`, which only the loop can enter."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        git = Git(folder / "loop.git", home=folder, path=path, auth=auth)
        git("init", "--quiet", "--bare", "--template=", "--initial-branch=none", str(git.git_dir))
        return cls(git, remote=remote, identity=identity)

    def close(self) -> None:
        """End GitPython's own helpers."""
        self._repo.close()

    # --- the remote ---------------------------------------------------------------------------------------

    def remote_refs(self, *patterns: str) -> dict[str, CommitSha]:
        """Refs of the remote as they are now, by full name.

        Raises:
            TransientError: the remote cannot be reached.
            RepositoryError: it is no repository, or the token may not read it.
        """
        try:
            argv = ("ls-remote", "--refs", f"--upload-pack={OTHER_SIDE} upload-pack", "--", self.remote)
            listed = patiently(lambda: self.git.text(*argv, *patterns, remote=True))
        except GitError as error:
            raise RepositoryError(
                f"{self.remote} does not answer as a git repository: {error.stderr.strip()[:500]}",
                hint="check the address, and that the token may read contents.",
            ) from None
        rows = (line.split("\t", 1) for line in listed.splitlines() if "\t" in line)
        return {ref: CommitSha(sha) for sha, ref in rows}

    def fetch(self, *refs: str) -> None:
        """Bring the refs (full names on the remote) and everything they reach."""
        if refs:
            quiet = (
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                f"--upload-pack={OTHER_SIDE} upload-pack",
            )
            patiently(lambda: self.git("fetch", *quiet, "--", self.remote, *refs, remote=True))

    def push(self, updates: Mapping[str, CommitSha | None]) -> None:
        """Move branches together or not at all, never by force.

        Args:
            updates: full ref name to commit; None deletes it.

        Raises:
            Superseded: the remote moved: a push that is not a fast-forward.
            TransientError: the remote cannot be reached, answers too late, or is locked.
            RepositoryError: a lock of git is in the way on this machine.
            GitError: anything else; nothing was moved.
        """
        try:
            patiently(lambda: self._push(updates))
        except ServiceError as error:
            # An answer can be lost after the refs moved: then it did happen.
            if self._stand(updates):
                return
            if isinstance(error, LockedError) and "://" not in self.remote:
                raise RepositoryError(
                    error.message,
                    hint=f"end the git process that is at work there; if there is none, delete {error.file}.",
                ) from None
            raise

    def _push(self, updates: Mapping[str, CommitSha | None]) -> None:
        specs = [f"{sha or ''}:{ref}" for ref, sha in updates.items()]
        done = self.git.run(
            "push", "--porcelain", "--atomic", "--no-verify",
            f"--receive-pack={OTHER_SIDE} receive-pack",
            "--", self.remote, *specs,
            remote=True,
        )  # fmt: skip
        said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
        if done.returncode == 0:
            # Success that did nothing has been reported before: read the refs back.
            if not self._stand(updates):
                raise Superseded(f"{', '.join(updates)} stand elsewhere after a push that succeeded")
        elif MOVED.search(said):
            if not self._stand(updates):  # else it was ourselves: the answer to an earlier push was lost
                raise Superseded(f"{', '.join(updates)} moved meanwhile: another session or person pushed")
        elif lock := LOCKED.search(said):
            raise LockedError(lock[1].replace("/./", "/"))  # as git writes it
        else:
            raise failed("push", done.returncode, said)

    def _stand(self, updates: Mapping[str, CommitSha | None]) -> bool:
        now = self.remote_refs(*updates)
        return all(now.get(ref) == sha for ref, sha in updates.items())

    # --- objects ------------------------------------------------------------------------------------------

    def tree_of(self, commit: CommitSha) -> TreeSha:
        """The tree of a commit.

        Raises:
            RepositoryError: there is no such commit.
        """
        try:
            return TreeSha(self._repo.commit(commit).tree.hexsha)
        except (BadName, BadObject, ValueError):
            raise RepositoryError(f"there is no commit {commit} in the loop's repository") from None

    def parents(self, commit: CommitSha) -> tuple[CommitSha, ...]:
        """The commit's parents."""
        return tuple(CommitSha(parent.hexsha) for parent in self._repo.commit(commit).parents)

    def changes(self, before: TreeSha, after: TreeSha) -> Sequence[Change]:
        """See `Trees`."""
        found = [
            Change(
                path=path,
                status=status,  # type: ignore[arg-type] # git's letter, one of A D M T
                mode_before=old.mode if old else "",
                mode_after=new.mode if new else "",
            )
            for path, status, old, new in self._differing(before, after)
        ]
        return sorted(found, key=lambda change: change.path)

    def differences(self, before: TreeSha, after: TreeSha) -> Differences:
        """Paths that differ, each with what it is in both trees."""
        return {path: (old, new) for path, _, old, new in self._differing(before, after)}

    def _differing(
        self, before: TreeSha, after: TreeSha
    ) -> Iterator[tuple[str, str, Entry | None, Entry | None]]:
        if self._compared[:2] != (before, after):
            self._compared = (before, after, [*self._compare(before, after)])
        yield from self._compared[2]

    def _compare(
        self, before: TreeSha, after: TreeSha
    ) -> Iterator[tuple[str, str, Entry | None, Entry | None]]:
        raw = self.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after)
        fields = raw.decode("utf-8", "surrogateescape").split("\0")
        for head, path in zip(fields[::2], fields[1::2], strict=False):
            mode_before, mode_after, sha_before, sha_after, status = head.removeprefix(":").split(" ")
            old, new = Entry(mode_before, sha_before), Entry(mode_after, sha_after)
            yield path, status[0], None if status[0] == "A" else old, None if status[0] == "D" else new

    def paths(self, tree: TreeSha) -> Sequence[str]:
        """See `Trees`."""
        return [path for mode, _, path in self.entries(tree) if mode != "160000"]

    def entries(self, tree: TreeSha) -> Iterator[tuple[str, str, str]]:
        """Mode, object and path of everything below `tree`, sorted by path."""
        raw = self.git("ls-tree", "-r", "-z", "--full-tree", tree).decode("utf-8", "surrogateescape")
        for row in raw.split("\0"):
            if row:
                head, path = row.split("\t", 1)
                mode, _, sha = head.split(" ")
                yield mode, sha, path

    def read(self, tree: TreeSha, path: str, *, max_bytes: int = 2_000_000) -> bytes | None:
        """See `Trees`."""
        entry = self.look_up(tree, [path])[path]
        if entry is None or entry.mode == "160000":
            return None
        blob = bytes.fromhex(entry.sha)
        if self._repo.odb.info(blob).size > max_bytes:
            raise SandboxCallError(f"{path} is larger than {max_bytes:,} bytes")
        return bytes(self._repo.odb.stream(blob).read())

    def write_blob(self, base: TreeSha, path: str, data: bytes) -> TreeSha:
        """See `Trees`."""
        return self.write_files(base, {path: data})

    def write_files(self, base: TreeSha | None, files: Mapping[str, bytes | None]) -> TreeSha:
        """`base` (None: an empty tree) with these files; None removes one."""
        with self._index(base) as env:
            rows = []
            for path, data in files.items():
                if data is None:
                    rows.append(f"0 {'0' * 40}\t{path}\0")
                else:
                    blob = self.git("hash-object", "-w", "--stdin", stdin=data).decode().strip()
                    rows.append(f"100644 {blob}\t{path}\0")
            return self._write_index(rows, env)

    def overlay(self, base: TreeSha, source: TreeSha, paths: Sequence[str]) -> TreeSha:
        """See `Trees`."""
        return self.graft(base, self.look_up(source, paths))

    def look_up(self, tree: TreeSha, paths: Iterable[str]) -> dict[str, Entry | None]:
        """What these paths are in `tree`; None: not there, or a folder."""
        return look_up(self._tree_object, tree, paths)

    def graft(self, base: TreeSha, changes: Mapping[str, Entry | None]) -> TreeSha:
        """`base` with these files in it (None: without). Costs what changes, however large the tree is.

        Raises:
            SandboxCallError: git's own strict check refuses a path, or an object is not here.
        """
        tree, made = graft(self._tree_object, base, changes)
        if not self.has(tree):
            self.unpack(pack_of(made))
        return tree

    def patch(self, before: TreeSha, after: TreeSha, *, max_file: int | None = None) -> bytes | None:
        """See `Trees`; binary files are included. It is held in memory, whatever stands in the files."""
        if max_file is not None and self._largest(before, after) > max_file:
            return None
        return self.git("diff-tree", "-p", "--binary", "--full-index", "--no-renames", before, after)

    def _largest(self, before: TreeSha, after: TreeSha) -> int:
        sides = (side for pair in self.differences(before, after).values() for side in pair)
        blobs = (side.sha for side in sides if side is not None and side.mode != "160000")
        return max((self._repo.odb.info(bytes.fromhex(sha)).size for sha in blobs), default=0)

    def apply(self, base: TreeSha, patch: bytes) -> TreeSha | None:
        """`base` with the patch; None when it does not fit any more."""
        with self._index(base) as env:
            done = self.git.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, env=env)
            return TreeSha(self.git.text("write-tree", env=env)) if done.returncode == 0 else None

    def commit(self, tree: TreeSha, parents: Sequence[CommitSha], message: str) -> CommitSha:
        """A commit object."""
        name, mail = self._identity
        env = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
        }
        args = [part for parent in parents for part in ("-p", parent)]
        made = self.git("commit-tree", tree, *args, "-F", "-", stdin=message.encode(), env=env)
        return CommitSha(made.decode().strip())

    def is_ancestor(self, older: CommitSha, newer: CommitSha) -> bool:
        """Whether `newer` contains `older`."""
        return self.git.run("merge-base", "--is-ancestor", older, newer).returncode == 0

    def has(self, name: str) -> bool:
        """Whether the object is here."""
        return self.git.run("cat-file", "-e", name).returncode == 0

    def merge_trees(self, ours: CommitSha, theirs: CommitSha) -> TreeSha | None:
        """The merged tree; None on a conflict or without a common past."""
        done = self.git.run("merge-tree", "--write-tree", ours, theirs)
        return TreeSha(done.stdout.decode().split("\n", 1)[0]) if done.returncode == 0 else None

    def merge_by_hand(self, ours: CommitSha, theirs: CommitSha) -> tuple[TreeSha, tuple[str, ...]] | None:
        """The merged tree with conflict markers, and the paths in conflict; None without a common past."""
        done = self.git.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        if done.returncode not in {0, 1}:
            return None
        tree, *paths = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return TreeSha(tree.strip()), tuple(dict.fromkeys(one for one in paths if one))

    # --- packs --------------------------------------------------------------------------------------------

    def pack(self, wanted: Sequence[str], have: Sequence[str]) -> bytes:
        """A pack of everything `wanted` reaches and `have` does not."""
        lines = "".join([*(f"{one}\n" for one in wanted), *(f"^{one}\n" for one in have)])
        return self.git("pack-objects", "--revs", "--stdout", "-q", stdin=lines.encode())

    def pack_objects(self, objects: Iterable[str]) -> bytes:
        """A pack of these very objects."""
        lines = "".join(f"{one}\n" for one in objects)
        return self.git("pack-objects", "--stdout", "-q", stdin=lines.encode())

    def unpack(self, pack: bytes) -> None:
        """Take a pack of the hands' in, every object checked.

        Raises:
            SandboxCallError: an object that git's strict check refuses (a `.git` entry, a bad mode, a missing
                link).
        """
        # What must outlive this machine is pushed: nothing waits for its disk.
        done = self.git.run(
            "-c", "fsck.zeroPaddedFilemode=error", "-c", "core.fsync=none",
            "index-pack", "--stdin", "--strict", f"--max-input-size={PACK_LIMIT}",
            stdin=pack,
        )  # fmt: skip
        if done.returncode != 0:
            raise SandboxCallError(
                f"the work tree was refused: {done.stderr.decode('utf-8', 'replace').strip()[:500]}"
            )

    def _tree_object(self, tree: str) -> bytes:
        """A tree, or a commit's, by the helper that GitPython keeps running: no process of its own."""
        found = self._repo.odb.stream(bytes.fromhex(tree))
        data = bytes(found.read())
        if found.type == b"commit":
            return self._tree_object(data.partition(b"\n")[0].removeprefix(b"tree ").decode("ascii"))
        return data

    @contextmanager
    def _index(self, base: TreeSha | None) -> Iterator[dict[str, str]]:
        with tempfile.TemporaryDirectory(dir=self.git.git_dir, prefix="index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.git("read-tree", *([base] if base else ["--empty"]), env=env)
            yield env

    def _write_index(self, rows: Sequence[str], env: Mapping[str, str]) -> TreeSha:
        data = "".join(rows).encode("utf-8", "surrogateescape")
        self.git("update-index", "-z", "--index-info", stdin=data, env=env)
        return TreeSha(self.git.text("write-tree", env=env))
