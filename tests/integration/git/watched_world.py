"""A small work tree that is watched as a large one is, and what a look at everything finds in it."""

from autonomous_loop.git import workspace_protocol
from autonomous_loop.git.workspace import _Found

FILES = {
    ".gitignore": b"*.log\ncache/\nown/.gitignore\n",
    "app.py": b"x = 1\n",
    "src/a.py": b"a = 1\n",
    "src/deep/b.py": b"b = 1\n",
    "own/.gitkeep": b"",
    "tests/test_a.py": b"def test(): pass\n",
}
EVERYWHERE = workspace_protocol.look


class Looks:
    """Which looks there were, of the hands' calls."""

    def __init__(self, monkeypatch):
        self.narrow = self.whole = 0
        for name in ("look", "write_and_scan"):
            monkeypatch.setattr(workspace_protocol, name, self._counted(getattr(workspace_protocol, name)))

    def _counted(self, call):
        def counting(*given, narrow, **options):
            self.narrow += narrow is not None
            self.whole += narrow is None
            return call(*given, narrow=narrow, **options)

        return counting

    @property
    def seen(self):
        found, self.narrow, self.whole = (self.narrow, self.whole), 0, 0
        return found


async def shell(sandbox, command):
    done = await sandbox.run(["bash", "-ec", command], timeout_s=60, env=workspace_protocol.ENV)
    assert done.exit_code == 0, done.text
    return done.text


async def nothing_else(workspace, repository):
    """A look at everything finds the work tree as the workspace believes it to be."""
    state = workspace._state
    look = EVERYWHERE(state.index, list(state.touched), open_up=False, narrow=None)
    found = _Found.of(*await workspace._run(look, 5))
    assert found.complaints == ""
    assert set(found.modified) | found.untracked <= state.touched.keys()
    believed = repository.look_up(state.here, state.touched)
    assert found.rows == {path: entry for path, entry in believed.items() if entry}
