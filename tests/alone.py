"""One package of this repository by itself: a copy of its folder, without any other of ours on the path."""

import re
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
# -S leaves out the .pth file by which the clone is installed; the installed packages are put back by hand. An
# editable install copies one data file of the product there, so the program asks for a module of it.
_PROGRAM = """
import runpy, sys
sys.path[:0] = {path!r}
try:
    import autonomous_loop.errors
except ModuleNotFoundError:
    sys.argv[1:] = {arguments!r}
    runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
else:
    sys.exit("the product is on the path")
"""


def command(package: str, folder: Path, *arguments: str, module: str = "") -> list[str]:
    """`python -m package arguments` (or another module), with a copy of the package in `folder`."""
    copy = folder / package
    if not copy.exists():
        shutil.copytree(SRC / package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    program = _PROGRAM.format(
        path=[str(folder), *site.getsitepackages()], arguments=list(arguments), module=module or package
    )
    return [sys.executable, "-I", "-S", "-c", program]


def readme_example(package: str, folder: Path) -> list[str]:
    """Write the README's one Python block, a whole test file, to `folder`; gives the command that runs it."""
    (example,) = re.findall(r"^```python\n(.*?)^```$", (SRC / package / "README.md").read_text(), re.M | re.S)
    (folder / "test_readme.py").write_text(example)
    test = str(folder / "test_readme.py")
    return command(package, folder, "-q", "-p", "no:cacheprovider", test, module="pytest")


@contextmanager
def running(given: list[str], last: str) -> Iterator[dict[str, str]]:
    """Start a server, and read `name: value` or `name=value` up to the line that begins with `last`."""
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            said: dict[str, str] = {}
            for line in process.stdout or ():
                name, _, value = line.strip().replace("=", ": ", 1).partition(": ")
                said[name] = value
                if name.startswith(last):
                    break
            yield said
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=30)
            print(errors)  # noqa: T201 - pytest shows it where a test fails
    assert process.returncode == 0, errors
