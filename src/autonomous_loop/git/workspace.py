"""The scratch clone: bytes go in and out as packs; git runs there as hands, on a git folder made anew."""

from __future__ import annotations

import posixpath
import secrets

from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.errors import DeadlineError, HandsError
from autonomous_loop.git.repository import PACK_LIMIT, Repository
from autonomous_loop.ports import CommandResult, Hands

TIMEOUT_S = 180.0
ENV = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
# Each operation is one script, since starting a process as hands costs more than git does. `fresh` makes a
# git folder that nobody but this script has written: whatever configuration the hands left behind, only
# this one counts. $1 is the store of objects sent so far, $2 the fresh git folder.
PRELUDE = """\
set -e
store=$1 git_dir=$2
g() {
  git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.untrackedCache=false \\
    -c core.autocrlf=false -c core.fileMode=true -c core.symlinks=true -c core.excludesFile=/dev/null \\
    -c core.attributesFile=/dev/null -c advice.addEmbeddedRepo=false "$@"
}
fresh() {
  rm -rf -- "${git_dir%/*}"/take-*.git
  g init -q --bare --template= "$git_dir"
  echo "$store/objects" > "$git_dir/objects/info/alternates"
}
t() { g --git-dir="$git_dir" --work-tree=. -c core.bare=false "$@"; }
"""
# A folder the hands made unwritable is still theirs: they can open it up again.
OPEN = """\
chmod -R u+rwX . 2>/dev/null || true
find . -mindepth 1 -delete
g init -q --bare --template= "$store"
g --git-dir="$store" unpack-objects -q
fresh
t read-tree "$3"
t checkout-index -a -f -q
# For the model's own use of git: one commit, no history, nothing of the loop's. Never read again.
git init -q --template= --initial-branch=work .
mkdir -p .git/info
echo "$store/objects" > .git/objects/info/alternates
git add -A
git -c user.name=base -c user.email=base@localhost commit -q --no-verify --allow-empty -m "the checkpoint"
"""
# Ignored files stay: they hold dependencies. Other untracked ones go, a nested repository too; the hands' own
# .git is not git's to clean.
SWITCH = """\
g --git-dir="$store" unpack-objects -q
fresh
g --git-dir="$git_dir" diff-tree -r -z --name-only --diff-filter=D "$3" "$4" | xargs -0 -r rm -rf --
t read-tree "$4"
t checkout-index -a -f -q
t clean -ffdq
"""
# Bytecode that a run of Python left behind is nobody's work, also where the project does not ignore it.
TAKE = """\
fresh
mkdir -p "$git_dir/info"
printf '%s\\n' '__pycache__/' '*.py[co]' > "$git_dir/info/exclude"
t read-tree "$3"
t add -A -- .
t write-tree
"""
# The new objects stay in the store: they are the next pack's base.
PACK = """\
printf '%s\\n^%s\\n' "$4" "$3" | g --git-dir="$git_dir" pack-objects --revs --stdout -q
rm -f "$git_dir/objects/info/alternates"
cp -rn "$git_dir/objects/." "$store/objects/" 2>/dev/null || true
"""


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
        self._git_dir = ""
        self._base: TreeSha | None = None
        self._sent: list[str] = []

    async def open(self, commit: CommitSha) -> None:
        """See `Workspace`."""
        tree = self._repository.tree_of(commit)
        self._store = posixpath.join(self._hands.temporary, f"store-{secrets.token_hex(8)}.git")
        self._sent = []
        await self._script("open", OPEN, tree, stdin=self._repository.pack([tree], []))
        self._base = tree
        self._sent.append(tree)

    async def take(self) -> TreeSha:
        """See `Workspace`."""
        base = self._opened()
        done = await self._script("take", TAKE, base)
        tree = TreeSha(done.stdout.decode("ascii", "replace").strip())
        if len(tree) != len(base) or not tree.isalnum():
            raise HandsError("the work tree cannot be taken: git gave no tree")
        if not self._repository.has(tree):
            # The hands are quiet since the script before: only our own scripts have run.
            packed = await self._script("take", PACK, base, tree, most=PACK_LIMIT, quiet=True)
            self._repository.unpack(packed.stdout)
        if not self._repository.has(tree):
            raise HandsError("the work tree cannot be taken: its tree did not arrive")
        self._refuse_nested(base, tree)
        self._base = tree
        self._sent.append(tree)
        return tree

    async def switch(self, tree: TreeSha) -> None:
        """See `Workspace`."""
        base = self._opened()
        pack = self._repository.pack([tree], self._sent[-4:])
        await self._script("switch", SWITCH, base, tree, stdin=pack)
        self._base = tree
        self._sent.append(tree)

    async def _script(
        self,
        what: str,
        script: str,
        *args: str,
        stdin: bytes = b"",
        most: int = 1_000_000,
        quiet: bool = False,
    ) -> CommandResult:
        """One script as hands, after every process of theirs has ended."""
        if not quiet:
            await self._hands.end_all()
            self._git_dir = posixpath.join(self._hands.temporary, f"take-{secrets.token_hex(8)}.git")
        done = await self._hands.run(
            ["bash", "-o", "pipefail", "-c", PRELUDE + script, what, self._store, self._git_dir, *args],
            timeout_s=TIMEOUT_S,
            env=ENV,
            stdin=stdin,
            cwd=self._hands.work,
            max_output=most,
            merge_stderr=False,
        )
        if done.exit_code is None:
            raise DeadlineError(f"{what} of the scratch clone did not end within {TIMEOUT_S:.0f} s")
        if done.exit_code != 0:
            said = done.stderr.decode("utf-8", "replace").strip()[:500]
            verb = {"take": "taken", "switch": "switched", "open": "opened"}[what]
            raise HandsError(f"the work tree cannot be {verb}: {said}")
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
