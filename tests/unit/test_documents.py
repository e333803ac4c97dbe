"""The documents name files of this repository: each of them exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Paths in the documents are below one of these.
BASES = (ROOT, ROOT / "src", ROOT / "src" / "autonomous_loop")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("src/*/README.md")]
)
MAPS = ("docs/architecture.md", "CONTRIBUTING.md")
# Folders that no clone holds: of a loop's state branch, and the tests' cache.
ELSEWHERE = {"proofs/", "attempts/", "evidence/", ".cache/"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_link_leads_to_a_file_that_exists(name):
    text = (ROOT / name).read_text()
    links = [one for one in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in one]
    assert [one for one in links if not ((ROOT / name).parent / one).exists()] == []


@pytest.mark.parametrize("name", MAPS)
def test_a_path_that_tells_where_to_change_what_exists(name):
    named = re.findall(r"`([\w./-]+(?:\.(?:py|j2|md|yml|yaml|toml|sh)|/))`", (ROOT / name).read_text())
    assert len(named) > 10
    ours = [one for one in named if one not in ELSEWHERE]
    assert [one for one in ours if not any((at / one).exists() for at in BASES)] == []


def test_the_readme_shows_its_pictures_on_pypi_too():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert pictures
    assert [one for one in pictures if not one.startswith("https://")] == []
