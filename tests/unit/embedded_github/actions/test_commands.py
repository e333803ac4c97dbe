"""Workflow commands, file commands and masks, as the runner takes them."""

import os

import pytest

from embedded_github.actions.job.commands import (
    SUMMARY_LIMIT,
    FileCommandError,
    JobLog,
    Masker,
    OutputReader,
    read_lines,
    read_pairs,
    read_summary,
)


@pytest.fixture
def reader(tmp_path):
    masker = Masker()
    log = JobLog(tmp_path / "logs" / "log.txt", masker)
    yield OutputReader(log, masker, [])
    log.close()


def text(tmp_path) -> str:
    lines = (tmp_path / "logs" / "log.txt").read_text().splitlines()
    return "\n".join(line.partition("Z ")[2] for line in lines)


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("a=1\nb=x=y\n\nc=\n", {"a": "1", "b": "x=y", "c": ""}),
        ("a<<E\none\ntwo=2\n\nE\nb=1\n", {"a": "one\ntwo=2\n", "b": "1"}),
        ("a<<E\nE\n", {"a": ""}),
        ("a=b<<c\n", {"a": "b<<c"}),
        ("a=1\r\na=2", {"a": "2"}),
        ("", {}),
    ],
)
def test_pairs(tmp_path, content, pairs):
    (tmp_path / "f").write_bytes(content.encode())
    assert read_pairs(tmp_path / "f") == pairs


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word\n", "Invalid format 'word'"),
        ("=1\n", "name must not be empty"),
        ("<<E\nE\n", "name must not be empty"),
        ("a<<\n", "delimiter must not be empty"),
        ("a<<E\nb\n", "Matching delimiter not found 'E'"),
    ],
)
def test_malformed_pairs(tmp_path, content, message):
    (tmp_path / "f").write_text(content)
    with pytest.raises(FileCommandError, match=message):
        read_pairs(tmp_path / "f")


def test_a_link_or_a_pipe_in_a_files_place_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("a=1")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    assert read_pairs(tmp_path / "link") == read_pairs(tmp_path / "pipe") == {}
    assert read_lines(tmp_path / "gone") == []


def test_a_summary_is_masked_and_limited(tmp_path):
    masker = Masker()
    masker.add("hidden")
    (tmp_path / "f").write_text("# a hidden word")
    assert read_summary(tmp_path / "f", masker) == "# a *** word"
    (tmp_path / "f").write_text("x" * (SUMMARY_LIMIT + 1))
    with pytest.raises(FileCommandError, match="1024k"):
        read_summary(tmp_path / "f", masker)


def test_longer_secrets_are_masked_first_and_blank_ones_not_at_all():
    masker = Masker()
    for secret in ("abc", "abcdef", " ", "", 'q"uo te'):
        masker.add(secret)
    assert masker.mask("abcdef abc x y") == "*** *** x y"
    assert masker.mask(r'{"a": "q\"uo te"} q%22uo%20te') == '{"a": "***"} ***'


def test_annotations_carry_their_properties(reader, tmp_path):
    reader.line("::warning file=a%2Cb.py,line=7,title=x%3A y%25::one%0Atwo %25")
    reader.line("  ::notice::plain")
    reader.line("words ::error::not at the start")
    warning, notice = reader.annotations
    assert (warning.level, warning.message, warning.title, warning.path, warning.line) == (
        "warning", "one\ntwo %", "x: y%", "a,b.py", 7
    )  # fmt: skip
    assert notice.message == "plain"
    assert "words ::error::not at the start" in text(tmp_path)


def test_groups_and_unknown_commands_stay_in_the_log(reader, tmp_path):
    for line in ("::group::Setup", "::endgroup::", "::frobnicate::x", "std::vector<int>::size"):
        reader.line(line)
    assert text(tmp_path).splitlines() == [
        "##[group]Setup", "##[endgroup]", "::frobnicate::x", "std::vector<int>::size"
    ]  # fmt: skip


def test_stop_commands_holds_until_its_own_token(reader):
    for line in ("::stop-commands::tok", "::error::no", "::other::", "::tok::", "::error::yes"):
        reader.line(line)
    assert [one.message for one in reader.annotations] == ["yes"]


@pytest.mark.parametrize("token", ["", "error", "pause-logging"])
def test_stop_commands_refuses_a_token_that_foreign_output_would_guess(reader, token):
    reader.line(f"::stop-commands::{token}")
    reader.line("::error::still obeyed")
    assert [one.message for one in reader.annotations] == ["still obeyed"]


def test_the_old_commands_for_outputs_and_state_still_work(reader):
    reader.line("::set-output name=a::1")
    reader.line("::save-state name=b::2")
    assert (reader.outputs, reader.state) == ({"a": "1"}, {"b": "2"})
