"""A step on a small tree, without any process."""

from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.project.selection import is_test_file
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.runners.base import Folders

FOLDERS = Folders(work="/w", run="/t/run-1", temporary="/t")


def facts(files: dict[str, str]) -> Facts:
    settings = PytestSettings()
    tests = tuple(path for path in sorted(files) if is_test_file(path, settings))

    def read(path: str) -> bytes | None:
        return files[path].encode() if path in files else None

    return Facts(sorted(files), settings, tests, read)


def seen(cases) -> dict[str, str]:
    return {case.id: case.outcome for case in cases}
