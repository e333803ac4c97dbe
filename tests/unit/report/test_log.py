from __future__ import annotations

import logging
import re
import time

import pytest

from autonomous_loop.report.log import RedactingFormatter, annotation, commands_stopped, harmless
from autonomous_loop.report.redactor import Redactor

SECRET = "hunter2-hunter2"


def _the_runner_sees_a_command(text: str) -> bool:
    """As actions/runner reads a step's output: line by line, leading white space trimmed."""
    return any(
        line.lstrip().startswith("::") or "##[" in line for line in re.split(r"\r\n|\r|\n", text) if line
    )


def _record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("loop", logging.ERROR, "file.py", 1, message, args, info)


def test_message_and_arguments_are_redacted():
    line = RedactingFormatter(Redactor([SECRET]).text).format(
        _record("token %s in %r", SECRET, {"k": SECRET})
    )
    assert line == "token *** in {'k': '***'}"


def test_a_traceback_is_redacted_and_left_on_no_record():
    def call(key):
        raise ValueError(f"refused {key}")

    with pytest.raises(ValueError, match="refused") as caught:
        call(SECRET)
    record = _record("failed", error=caught.value)
    line = RedactingFormatter(Redactor([SECRET]).text).format(record)
    assert "Traceback" in line
    assert "refused ***" in line
    assert SECRET not in line
    assert record.exc_text is None


@pytest.mark.parametrize(
    "foreign",
    [
        "::set-output name=x::y",
        "  \t::error::no",
        "fine\n::add-mask::a",
        "fine\r::add-mask::a",
        "fine\r\n \u2028::stop-commands::x",
        "progress ##[error]no",
        "::::warning::x",
        "\n\n::error::x",
        ":\n::error::x",
    ],
)
def test_foreign_output_cannot_command_the_runner(foreign):
    assert _the_runner_sees_a_command(foreign)
    shown = RedactingFormatter(lambda text: text, for_runner=True).format(_record(foreign.replace("%", "%%")))
    assert not _the_runner_sees_a_command(shown)
    assert shown.replace("\u200b", "") == foreign


@pytest.mark.parametrize("plain", ["std::vector", "a: b", "tests/x.py::test_y PASSED", "## [title]"])
def test_ordinary_output_stays_as_it_is(plain):
    assert harmless(plain) == plain


def test_an_annotation_is_one_command_whatever_it_says():
    made = annotation("warning", "50% done\n::error::no", title="a:b,c", file="x.py", line=3)
    assert made == "::warning title=a%3Ab%2Cc,file=x.py,line=3::50%25 done%0A::error::no"
    assert annotation("error", "plain") == "::error::plain"


def _fail(lines: list[str]) -> None:
    lines.append("::error::foreign")
    raise RuntimeError


def test_many_empty_lines_are_read_in_reasonable_time():
    started = time.process_time()
    harmless("\n" * 400_000)
    assert time.process_time() - started < 2.0


def test_commands_are_on_again_after_foreign_output_even_when_it_fails():
    lines: list[str] = []
    with pytest.raises(RuntimeError), commands_stopped(lines.append):
        _fail(lines)
    token = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    assert lines[1:] == ["::error::foreign", f"::{token}::"]
    with commands_stopped(lines.append):
        pass
    assert token not in lines[3]
