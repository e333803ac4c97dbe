import pytest

from autonomous_loop.verify.execution.closed_paths import closed_to_hands

SAID = {
    "PermissionError: [Errno 13] Permission denied: '/srv/venv/pyvenv.cfg'": "/srv/venv",
    "tests: line 1: /root/venv/bin/python: Permission denied": "/root/venv",
    "bash: /srv/venv/bin/pytest: /srv/venv/bin/python: bad interpreter: Permission denied": "/srv/venv",
    "python: can't open file '/srv/run.py': [Errno 13] Permission denied": "/srv",
}


@pytest.mark.parametrize("output", SAID)
def test_what_is_closed_is_named_with_what_opens_it(output):
    text = closed_to_hands(f"before\n{output}\nafter")
    assert f"Name {SAID[output]} in the environment variable AUTONOMOUS_LOOP_HANDS_READABLE" in text
    assert "mode 0700" in text


@pytest.mark.parametrize(
    "output",
    ["", "FAILED tests/test_a.py", "sh: ./run.sh: Permission denied", "sh: <tmp>/a: Permission denied"],
)
def test_nothing_else_is(output):
    assert closed_to_hands(output) == ""
