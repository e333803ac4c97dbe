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
# git's messages when somebody else moved a ref meanwhile.
MOVED = re.compile(
    r"non-fast-forward|fetch first|stale info|incorrect old value provided"
    r"|cannot lock ref .*(?:is at \S+ but expected|reference already exists|is missing but expected)"
)
# git's message when another process is moving a ref right now, or was killed while doing it.
LOCKED = re.compile(r"Unable to create '([^'\n]+\.lock)': File exists")
# The differences between two trees: path -> entry in the first and in the second (None: absent).
Differences = Mapping[str, tuple[Entry | None, Entry | None]]
# If the remote is a plain git directory, its side of git runs on this machine too. It must not run that
# directory's hooks, and another user may own the directory.
OTHER_SIDE = "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c safe.directory=*"


class Repository:
    """Objects and refs; implements `Trees`.

    Args:
        git: runs on a bare repository made by `Repository.create`.
        remote: the URL or path to push to.
        identity: name and e-mail address of the committer.
    """

    def __init__(self, git: Git, *, remote: str, identity: tuple[str, str]) -> None:
        self.git = git
        self.remote = remote
        self._identity = identity
        self._repo = Repo(str(git.git_dir))
        # The last two compared trees: different parts ask for the same pair one after the other.
        self._compared: tuple[str, str, list[tuple[str, str, Entry | None, Entry | None]]] = ("", "", [])

    @classmethod
    def create(
        cls, folder: Path, *, remote: str, identity: tuple[str, str], path: str, auth: Mapping[str, str]
    ) -> Repository:
        """Create a new bare repository in `folder`, which only the loop can enter."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        git = Git(folder / "loop.git", home=folder, path=path, auth=auth)
        git("init", "--quiet", "--bare", "--template=", "--initial-branch=none", str(git.git_dir))
        return cls(git, remote=remote, identity=identity)

    def close(self) -> None:
        """End GitPython's helper processes."""
        self._repo.close()

    # --- the remote ---------------------------------------------------------------------------------------

    def remote_refs(self, *patterns: str) -> dict[str, CommitSha]:
        """Return the current refs of the remote by full name.

        Raises:
            TransientError: the remote cannot be reached.
            RepositoryError: it is not a repository, or the token may not read it.
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
        """Fetch the refs (full names on the remote) and everything they reach."""
        if refs:
            quiet = (
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                f"--upload-pack={OTHER_SIDE} upload-pack",
            )
            patiently(lambda: self.git("fetch", *quiet, "--", self.remote, *refs, remote=True))

    def push(self, updates: Mapping[str, CommitSha | None]) -> None:
        """Move all branches or none (atomically), never by force.

        Args:
            updates: full ref name -> commit; None deletes the ref.

        Raises:
            Superseded: the remote moved, so the push is not a fast-forward.
            TransientError: the remote cannot be reached, answers too late, or is locked.
            RepositoryError: a lock file of git is in the way on this machine.
            GitError: anything else; nothing was moved.
        """
        try:
            patiently(lambda: self._push(updates))
        except ServiceError as error:
            # The answer can be lost after the refs moved; then the push did succeed.
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
            # git has been seen to report success without a change, so read the refs back.
            if not self._stand(updates):
                raise Superseded(f"{', '.join(updates)} stand elsewhere after a push that succeeded")
        elif MOVED.search(said):
            if not self._stand(updates):  # otherwise we did it: the answer to an earlier push was lost
                raise Superseded(f"{', '.join(updates)} moved meanwhile: another session or person pushed")
        elif lock := LOCKED.search(said):
            raise LockedError(lock[1].replace("/./", "/"))  # git writes /./ in it
        else:
            raise failed("push", done.returncode, said)

    def _stand(self, updates: Mapping[str, CommitSha | None]) -> bool:
        now = self.remote_refs(*updates)
        return all(now.get(ref) == sha for ref, sha in updates.items())

    # --- objects ------------------------------------------------------------------------------------------

    def tree_of(self, commit: CommitSha) -> TreeSha:
        """Return the tree of a commit.

        Raises:
            RepositoryError: there is no such commit.
        """
        try:
            return TreeSha(self._repo.commit(commit).tree.hexsha)
        except (BadName, BadObject, ValueError):
            raise RepositoryError(f"there is no commit {commit} in the loop's repository") from None

    def parents(self, commit: CommitSha) -> tuple[CommitSha, ...]:
        """Return the commit's parents."""
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
        """Return the paths that differ, each with its entry in both trees."""
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
        """Yield mode, object and path of everything below `tree`, sorted by path."""
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
        """Return `base` (None: an empty tree) with these files; None removes a file."""
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
        """Return the entry of each path in `tree`; None if it is absent or a folder."""
        return look_up(self._tree_object, tree, paths)

    def graft(self, base: TreeSha, changes: Mapping[str, Entry | None]) -> TreeSha:
        """Return `base` with these files (None removes one); costs only what changes.

        Raises:
            SandboxCallError: git's strict check refuses a path, or an object is missing here.
        """
        tree, made = graft(self._tree_object, base, changes)
        if not self.has(tree):
            self.unpack(pack_of(made))
        return tree

    def patch(self, before: TreeSha, after: TreeSha, *, max_file: int | None = None) -> bytes | None:
        """See `Trees`; includes binary files and holds the whole patch in memory."""
        if max_file is not None and self._largest(before, after) > max_file:
            return None
        return self.git("diff-tree", "-p", "--binary", "--full-index", "--no-renames", before, after)

    def _largest(self, before: TreeSha, after: TreeSha) -> int:
        sides = (side for pair in self.differences(before, after).values() for side in pair)
        blobs = (side.sha for side in sides if side is not None and side.mode != "160000")
        return max((self._repo.odb.info(bytes.fromhex(sha)).size for sha in blobs), default=0)

    def apply(self, base: TreeSha, patch: bytes) -> TreeSha | None:
        """Return `base` with the patch applied, or None if the patch does not fit any more."""
        with self._index(base) as env:
            done = self.git.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, env=env)
            return TreeSha(self.git.text("write-tree", env=env)) if done.returncode == 0 else None

    def commit(self, tree: TreeSha, parents: Sequence[CommitSha], message: str) -> CommitSha:
        """Create a commit object."""
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
        """Return whether `newer` contains `older`."""
        return self.git.run("merge-base", "--is-ancestor", older, newer).returncode == 0

    def has(self, name: str) -> bool:
        """Return whether the object is here."""
        return self.git.run("cat-file", "-e", name).returncode == 0

    def merge_trees(self, ours: CommitSha, theirs: CommitSha) -> TreeSha | None:
        """Return the merged tree, or None on a conflict or without a common ancestor."""
        done = self.git.run("merge-tree", "--write-tree", ours, theirs)
        return TreeSha(done.stdout.decode().split("\n", 1)[0]) if done.returncode == 0 else None

    def merge_by_hand(self, ours: CommitSha, theirs: CommitSha) -> tuple[TreeSha, tuple[str, ...]] | None:
        """Return the tree with conflict markers and the paths in conflict; None without a common ancestor."""
        done = self.git.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        if done.returncode not in {0, 1}:
            return None
        tree, *paths = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return TreeSha(tree.strip()), tuple(dict.fromkeys(one for one in paths if one))

    # --- packs --------------------------------------------------------------------------------------------

    def pack(self, wanted: Sequence[str], have: Sequence[str]) -> bytes:
        """Return a pack of everything that `wanted` reaches and `have` does not."""
        lines = "".join([*(f"{one}\n" for one in wanted), *(f"^{one}\n" for one in have)])
        return self.git("pack-objects", "--revs", "--stdout", "-q", stdin=lines.encode())

    def pack_objects(self, objects: Iterable[str]) -> bytes:
        """Return a pack of exactly these objects."""
        lines = "".join(f"{one}\n" for one in objects)
        return self.git("pack-objects", "--stdout", "-q", stdin=lines.encode())

    def unpack(self, pack: bytes) -> None:
        """Store a pack from the sandbox after git has checked every object.

        Raises:
            SandboxCallError: git's strict check refuses an object (a `.git` entry, a bad mode, a missing
                link).
        """
        # No fsync: everything that must outlive this machine is pushed.
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
        """Read a tree, or a commit's tree, with the helper that GitPython keeps running; no new process."""
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
