"""The wheel, built for real: what it carries, and that its program works outside of a clone."""

import os
import re
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = "autonomous_loop/sample"


def build(source, into):
    """Build as an installation does, with the build backend that is installed here."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", into, source],
        check=True,
    )
    (wheel,) = into.glob("*.whl")
    return wheel


def tracked(*folders):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return {name for name in listed if (ROOT / name).exists()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run(installed, *arguments, cwd):
    """The installed program; what else is installed here stands behind it, this clone does not."""
    program = (
        f"import sys; sys.path[:0] = {[str(installed), *site.getsitepackages()]!r};"
        "from autonomous_loop.commands.cli import main; main(prog_name='autonomous-loop')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *arguments],
        cwd=cwd, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_holds_the_three_packages_and_the_demos_sample_and_nothing_else(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    packages = {name.removeprefix("src/") for name in tracked("src")}
    sample = {
        f"{SAMPLE}/{name}"
        for name in tracked("examples/guestbook", "plan", "action.yml", ".github/workflows/loop.yml")
    }
    assert f"{SAMPLE}/examples/guestbook/turns.yaml" in sample
    assert held == packages | sample | {"autonomous_loop/workflows/autonomous-loop.yml"}


def test_its_program_works_outside_of_a_clone(installed, tmp_path):
    done = run(installed, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_its_demo_finds_the_sample_project(installed, tmp_path):
    program = (
        f"import sys; sys.path[:0] = {[str(installed), *site.getsitepackages()]!r};"
        "from autonomous_loop.commands import demo; print(*demo._example())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [
        str(installed / SAMPLE / "examples" / "guestbook"),
        str(installed / SAMPLE),
    ], done.stderr


def test_an_image_holds_the_product_alone_and_its_demo_says_what_is_missing(tmp_path):
    """A build from what the Dockerfile copies: the same settings, fewer files."""
    context = tmp_path / "context"
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if copied := re.fullmatch(r"COPY (.+) (\S+)", line):
            for name in copied[1].split():
                for file in tracked(name):
                    (context / file).parent.mkdir(parents=True, exist_ok=True)
                    (context / file).write_bytes((ROOT / file).read_bytes())
    (tmp_path / "wheel").mkdir()
    (tmp_path / "installed").mkdir()
    zipfile.ZipFile(build(context, tmp_path / "wheel")).extractall(tmp_path / "installed")
    assert sorted(
        path.name for path in (tmp_path / "installed").iterdir() if path.suffix != ".dist-info"
    ) == ["autonomous_loop"]
    assert not (tmp_path / "installed" / SAMPLE / "examples").exists()
    done = run(tmp_path / "installed", "demo", cwd=tmp_path)
    assert done.returncode == 2
    assert 'pip install "autonomous-loop[demo]"' in done.stderr


def test_the_build_context_lets_through_what_the_dockerfile_copies():
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if (found := re.fullmatch(r"COPY (.+) (\S+)", line))
        for name in found[1].split()
    }
    assert {name for name in copied if not any(f"{name}/".startswith(f"{one}/") for one in allowed)} == set()
