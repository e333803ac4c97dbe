import json

import pytest

from autonomous_loop import console
from autonomous_loop.errors import Superseded, UsageError

KEY = "sk-hidden-0123456789"


def ended(error, capsys, monkeypatch):
    monkeypatch.setenv("INPUT_HANDOFF-KEY-PREVIOUS", KEY)

    async def work():
        raise error

    with pytest.raises(SystemExit) as ending:
        console.exit_with(work(), as_json=True)
    shown = capsys.readouterr()
    return ending.value.code, json.loads(shown.out), shown.err


def test_an_error_shows_no_key_and_commands_no_runner(capsys, monkeypatch):
    error = UsageError(f"the setup failed: {KEY}\n::add-mask::x", hint=f"not {KEY}")
    code, found, said = ended(error, capsys, monkeypatch)
    assert code == 2
    assert KEY not in said + json.dumps(found)
    assert "\n::" not in said


def test_an_error_nobody_foresaw_is_a_sentence_and_no_traceback(capsys, monkeypatch):
    code, found, said = ended(KeyError(KEY), capsys, monkeypatch)
    assert code == 1
    assert "unexpected: KeyError" in said
    assert "Traceback" not in said
    assert KEY not in said + found["error"]


def test_the_loser_of_a_race_prints_one_object_too(capsys, monkeypatch):
    code, found, said = ended(Superseded("session 1 is at work"), capsys, monkeypatch)
    assert (code, found["handoff_reason"]) == (0, "superseded")
    assert "nothing to do" in said
