import json

import pytest
from click.testing import CliRunner

from autonomous_loop.commands import cli, console
from autonomous_loop.errors import JournalError, SandboxCallError, Superseded, UsageError

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


@pytest.mark.parametrize(
    "error", [KeyError("x"), SandboxCallError("processes cannot be ended"), UsageError("no")]
)
@pytest.mark.parametrize("name", ["prove", "prove_in_ci", "audit"])
def test_what_breaks_a_proof_is_no_refusal(monkeypatch, tmp_path, name, error):
    """1 is a verdict; where there is none, whatever the reason, it is 2."""

    async def broken(*_, **__):
        raise error

    module = {"prove_in_ci": "prove_ci"}.get(name, name)
    monkeypatch.setattr(f"autonomous_loop.commands.{module}.{name}", broken)
    arguments = {"prove": ["prove", "--base", "x"], "prove_in_ci": ["prove-in-ci"], "audit": ["audit"]}[name]
    assert CliRunner().invoke(cli.main, arguments).exit_code == 2


def test_a_journal_that_cannot_be_trusted_is_what_an_audit_finds(monkeypatch):
    async def broken(*_, **__):
        raise JournalError("no event of session 2 is readable")

    monkeypatch.setattr("autonomous_loop.commands.audit.audit", broken)
    assert CliRunner().invoke(cli.main, ["audit"]).exit_code == 1
