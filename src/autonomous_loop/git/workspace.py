"""The scratch clone: bytes go in and out as packs, and git runs there as hands, on a git folder made anew."""

from __future__ import annotations

import posixpath
import secrets

from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.errors import DeadlineError, HandsError
from autonomous_loop.git.repository import PACK_LIMIT, Repository
from autonomous_loop.ports import CommandResult, Hands

TIMEOUT_S = 180.0
# The hands may have left any configuration behind; this one is all that counts.
GIT = (
    "git",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.untrackedCache=false",
    "-c", "core.autocrlf=false",
    "-c", "core.fileMode=true",
    "-c", "core.symlinks=true",
    "-c", "core.excludesFile=/dev/null",
    "-c", "core.attributesFile=/dev/null",
    "-c", "advice.addEmbeddedRepo=false",
)  # fmt: skip
ENV = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}


class ScratchWorkspace:
    """Implements `Workspace`.

    Args:
        hands: run every command here.
        repository: the loop's own; takes what is proved.
    """

    def __init__(self, hands: Hands, repository: Repository) -> None:
        self._hands = hands
        self._repository = repository
        self._store = ""
        self._base: TreeSha | None = None
        self._sent: list[str] = []

    async def open(self, commit: CommitSha) -> None:
        """See `Workspace`."""
        await self._hands.end_all()
        work = self._hands.work
        # A folder the hands made unwritable is still theirs: they can open it up again.
        await self._run(
            ["sh", "-c", "chmod -R u+rwX . 2>/dev/null; find . -mindepth 1 -delete"], what="clear"
        )
        self._store = posixpath.join(self._hands.temporary, f"store-{secrets.token_hex(8)}.git")
        await self._run([*GIT, "init", "-q", "--bare", "--template=", self._store], what="init")
        tree = self._repository.tree_of(commit)
        self._sent = []
        self._base = None
        await self._send(tree)
        await self._check_out(tree, gone=())
        # For the model's own use of git: one commit, no history, nothing of the loop's. Never read again.
        script = (
            "git init -q --template= --initial-branch=work . && "
            'echo "$1/objects" > .git/objects/info/alternates && git add -A && '
            'git -c user.name=base -c user.email=base@localhost commit -q --no-verify -m "the checkpoint"'
        )
        await self._run(["sh", "-c", script, "sh", self._store], what="scratch clone", cwd=work)

    async def take(self) -> TreeSha:
        """See `Workspace`."""
        await self._hands.end_all()
        base = self._opened()
        git_dir = await self._fresh()
        try:
            add = await self._git(git_dir, "add", "-A", "--", ".", check=False, before=("read-tree", base))
            if add.exit_code != 0:
                raise HandsError(f"the work tree cannot be taken: {add.text.strip()[:500]}")
            tree = TreeSha((await self._git(git_dir, "write-tree")).text.strip())
            if len(tree) != len(base) or not tree.isalnum():
                raise HandsError("the work tree cannot be taken: git gave no tree")
            if not self._repository.has(tree):
                pack = await self._pack(git_dir, tree, base)
                self._repository.unpack(pack)
            if not self._repository.has(tree):
                raise HandsError("the work tree cannot be taken: its tree did not arrive")
        finally:
            await self._drop(git_dir)
        self._refuse_nested(base, tree)
        self._base = tree
        self._sent.append(tree)
        return tree

    async def switch(self, tree: TreeSha) -> None:
        """See `Workspace`."""
        await self._hands.end_all()
        base = self._opened()
        gone = [change.path for change in self._repository.changes(base, tree) if change.status == "D"]
        await self._send(tree)
        await self._check_out(tree, gone=gone)

    async def _check_out(self, tree: TreeSha, *, gone: list[str] | tuple[()]) -> None:
        git_dir = await self._fresh()
        try:
            if gone:
                names = "\0".join(gone).encode("utf-8", "surrogateescape")
                await self._run(["xargs", "-0", "rm", "-rf", "--"], what="remove", stdin=names)
            await self._git(git_dir, "read-tree", tree)
            await self._git(git_dir, "checkout-index", "-a", "-f", "-q")
            # Untracked files go (a nested repository too), ignored ones stay: they hold dependencies. The
            # hands' own .git is not git's to clean.
            await self._git(git_dir, "clean", "-ffdq")
        finally:
            await self._drop(git_dir)
        self._base = tree

    async def _send(self, tree: TreeSha) -> None:
        pack = self._repository.pack([tree], self._sent[-4:])
        await self._run([*GIT, f"--git-dir={self._store}", "unpack-objects", "-q"], what="send", stdin=pack)
        self._sent.append(tree)

    async def _pack(self, git_dir: str, tree: TreeSha, base: TreeSha) -> bytes:
        made = await self._hands.run(
            [*GIT, f"--git-dir={git_dir}", "pack-objects", "--revs", "--stdout", "-q"],
            timeout_s=TIMEOUT_S,
            env=ENV,
            stdin=f"{tree}\n^{base}\n".encode(),
            max_output=PACK_LIMIT,
            merge_stderr=False,
        )
        if made.exit_code != 0:
            raise HandsError("the work tree cannot be taken: its objects could not be packed")
        return made.stdout

    async def _fresh(self) -> str:
        """A git folder nobody but this call has written, over the objects sent so far."""
        git_dir = posixpath.join(self._hands.temporary, f"take-{secrets.token_hex(8)}.git")
        script = 'git init -q --bare --template= "$1" && echo "$2/objects" > "$1/objects/info/alternates"'
        await self._run(["sh", "-c", script, "sh", git_dir, self._store], what="git folder")
        return git_dir

    async def _drop(self, git_dir: str) -> None:
        """Keep the new objects (they are the next pack's base), drop the rest."""
        keep = 'rm -f "$1/objects/info/alternates"; cp -rn "$1/objects/." "$2/objects/" 2>/dev/null'
        script = f'{keep}; rm -rf -- "$1"'
        await self._run(["sh", "-c", script, "sh", git_dir, self._store], what="git folder")

    async def _git(
        self, git_dir: str, *args: str, check: bool = True, before: tuple[str, ...] = ()
    ) -> CommandResult:
        if before:
            await self._git(git_dir, *before)
        place = (f"--git-dir={git_dir}", f"--work-tree={self._hands.work}", "-c", "core.bare=false")
        return await self._run([*GIT, *place, *args], what=args[0], check=check)

    async def _run(
        self, argv: list[str], *, what: str, stdin: bytes = b"", cwd: str | None = None, check: bool = True
    ) -> CommandResult:
        done = await self._hands.run(
            argv, timeout_s=TIMEOUT_S, env=ENV, stdin=stdin, cwd=cwd or self._hands.work
        )
        if done.exit_code is None:
            raise DeadlineError(f"{what} of the scratch clone did not end within {TIMEOUT_S:.0f} s")
        if check and done.exit_code != 0:
            raise HandsError(f"{what} of the scratch clone failed: {done.text.strip()[:500]}")
        return done

    def _opened(self) -> TreeSha:
        if self._base is None:
            raise HandsError("the scratch clone is not open")
        return self._base

    def _refuse_nested(self, base: TreeSha, tree: TreeSha) -> None:
        for change in self._repository.changes(base, tree):
            if change.mode_after == "160000":
                raise HandsError(
                    f"{change.path} is a repository inside the work tree; it would be taken as a gitlink",
                    hint="remove its .git folder, or the folder.",
                )
