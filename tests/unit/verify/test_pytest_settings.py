import pytest

from autonomous_loop.verify.project.pytest_settings import read_settings, runner_keys


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            '[tool.pytest.ini_options]\ntestpaths = ["checks"]\npython_files = "check_*.py"\n',
        ),
        ("pyproject.toml", '[tool.pytest]\ntestpaths = ["checks"]\npython_files = ["check_*.py"]\n'),
        ("pytest.toml", '[pytest]\ntestpaths = ["checks"]\npython_files = ["check_*.py"]\n'),
        ("pytest.ini", "[pytest]\ntestpaths = checks\npython_files = check_*.py\n"),
        ("tox.ini", "[tox]\nenvlist = py\n[pytest]\ntestpaths = checks\npython_files = check_*.py\n"),
        ("setup.cfg", "[tool:pytest]\ntestpaths = checks\npython_files = check_*.py\n"),
    ],
)
def test_every_file_pytest_reads_is_read(name, text):
    settings = read_settings(lambda path: text.encode() if path == name else None)
    assert settings.configured
    assert settings.testpaths == ("checks",)
    assert settings.is_test_file("checks/check_a.py")
    assert not settings.is_test_file("checks/test_a.py")
    assert set(runner_keys(name, text.encode())) == {"testpaths", "python_files"}


def test_without_configuration_the_runner_s_own_names_hold():
    settings = read_settings(lambda _: None)
    assert not settings.configured
    assert settings.is_test_file("x/test_a.py")
    assert settings.is_test_file("x/a_test.py")
    assert not settings.is_test_file("x/a.py")


def test_an_empty_ini_file_counts_because_it_hides_the_others():
    files = {"pytest.ini": b"", "pyproject.toml": b'[tool.pytest.ini_options]\ntestpaths = ["checks"]\n'}
    assert read_settings(files.get).testpaths == ()


@pytest.mark.parametrize("data", [b"[tool.pytest", b"\xff\xfe", b"tool = 3", b'[tool]\npytest = "x"\n'])
def test_what_cannot_be_read_is_no_configuration(data):
    assert not read_settings({"pyproject.toml": data}.get).configured
