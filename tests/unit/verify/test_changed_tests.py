"""Which older test files run in their old version where something beside them changed."""

import pytest

from autonomous_loop.verify.rules.changed_tests import served

FILES = (
    "app.test.js",
    "pkg/test_pkg.py",
    "pkg/tests/deep/test_deep.py",
    "pkg/tests/test_flat.py",
    "pkg/tests_more/test_more.py",
    "tests/test_top.py",
)


@pytest.mark.parametrize(
    ("support", "expected"),
    [
        ("conftest.py", FILES),
        ("pkg/conftest.py", FILES[1:5]),
        ("pkg/tests/conftest.py", FILES[2:4]),
        ("pkg/tests/deep/conftest.py", FILES[2:3]),
        ("pkg/tests/helpers.py", FILES[2:4]),
        ("pkg/tests/deep/more/data.json", FILES[2:4]),
        ("tests/data/test/table.csv", FILES[5:]),
        ("tests/helpers.py", FILES[5:]),
        # These stand beside tests, which read them.
        ("pkg/testdata/golden.txt", FILES[1:5]),
        ("pkg/tests/testdata/golden.txt", FILES[2:4]),
        ("pkg/__mocks__/app.js", FILES[1:5]),
        ("pkg/__fixtures__/app.json", FILES[1:5]),
        # A snapshot stands beside whatever it is of.
        ("__snapshots__/app.snap", FILES),
        ("elsewhere/tests/helpers.py", ()),
    ],
)
def test_it_serves_the_test_files_below_its_test_root_or_conftest(support, expected):
    assert tuple(served(FILES, [support])) == expected


def test_nothing_serves_nothing():
    assert served(FILES, []) == []
    assert served(FILES, ["tests/helpers.py", "pkg/conftest.py"]) == list(FILES[1:])
