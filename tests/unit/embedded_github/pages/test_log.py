"""A job's log, step by step."""

import pytest

from embedded_github.actions.ports import StepResult
from embedded_github.pages import log

AT = "2026-03-04T09:00:00"


def step(number, name, conclusion="success"):
    return StepResult(number, name, conclusion, f"{AT}Z", "2026-03-04T09:01:05Z")


@pytest.fixture
def written(tmp_path):
    def write(*lines):
        file = tmp_path / "job.log"
        file.write_text("".join(f"{AT}.1234560Z {line}\n" for line in lines))
        return file

    return write


def test_each_step_has_its_own_lines_in_order(written):
    file = written("Job a", "##[group]Build", "##[endgroup]", "one", "##[group]Test", "##[endgroup]", "two")
    made = log.sections(file, [step(1, "Build"), step(2, "Left", "skipped"), step(3, "Test")])
    said = [(one.title, [line.text for line in one.lines]) for one in made]
    assert said == [("Set up job", ["Job a"]), ("Build", ["one"]), ("Left", []), ("Test", ["two"])]
    assert made[1].seconds == 65


def test_a_step_of_the_same_name_twice_is_two_sections(written):
    file = written("##[group]A", "##[endgroup]", "one", "##[group]A", "##[endgroup]", "two")
    made = log.sections(file, [step(1, "A"), step(2, "A")])
    assert [[line.text for line in one.lines] for one in made] == [["one"], ["two"]]


def test_groups_are_folded_and_keep_their_numbers(written):
    file = written("##[group]A", "##[endgroup]", "a", "##[group]inner", "b", "c", "##[endgroup]", "d")
    (made,) = log.sections(file, [step(1, "A")])
    heads = [(line.number, line.kind, line.text) for line in made.lines]
    assert heads == [(2, "", "a"), (3, "group", "inner"), (7, "", "d")]
    assert [(line.number, line.text) for line in made.lines[1].lines] == [(4, "b"), (5, "c")]


def test_errors_warnings_and_commands_are_told_apart(written):
    file = written(
        "##[group]A", "##[endgroup]", "##[error]e", "##[warning]w", "[command]git fetch", "##[odd]o"
    )
    (made,) = log.sections(file, [step(1, "A")])
    assert [(line.kind, line.text) for line in made.lines] == [
        ("error", "e"), ("warning", "w"), ("command", "git fetch"), ("", "##[odd]o"),
    ]  # fmt: skip


def test_escape_sequences_and_control_characters_are_gone(written):
    file = written(
        "##[group]A",
        "##[endgroup]",
        "\x1b[1;31mred\x1b[0m",
        "\x1b]0;title\x07shell",
        "\x1b[2K\x1b[1Aup",
        "a\x00\x08b",
    )
    (made,) = log.sections(file, [step(1, "A")])
    assert [line.text for line in made.lines] == ["red", "shell", "up", "ab"]


def test_a_job_that_still_runs_shows_its_groups_as_they_come(written):
    file = written("Job a", "##[group]Build", "##[endgroup]", "one", "##[group]Test", "two")
    made = log.sections(file, [])
    said = [(one.title, [line.text for line in one.lines]) for one in made]
    assert said == [("Set up job", ["Job a"]), ("Build", ["one"]), ("Test", ["two"])]


def test_without_a_log_the_steps_are_there():
    assert [one.title for one in log.sections(None, [step(1, "A")])] == ["A"]


def test_only_the_end_of_a_huge_log_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "MOST_BYTES", 200)
    file = tmp_path / "job.log"
    file.write_text("".join(f"{AT}.1234560Z line {number}\n" for number in range(1000)))
    texts = [line.text for one in log.sections(file, []) for line in one.lines]
    assert "bytes are not shown" in texts[0]
    assert texts[-1] == "line 999"
    assert len(texts) < 10


def test_only_the_last_lines_of_a_long_step_are_shown(written, monkeypatch):
    monkeypatch.setattr(log, "MOST_LINES", 3)
    (made,) = log.sections(written("##[group]A", *(str(number) for number in range(9))), [step(1, "A")])
    assert made.left_out == 6
    assert [line.number for line in made.lines] == [7, 8, 9]
