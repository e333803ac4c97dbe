import pytest

from autonomous_loop.domain.proof import Reason, Verdict
from autonomous_loop.domain.text import utf8


def test_a_byte_of_a_name_that_is_no_utf8_is_shown_as_git_shows_it():
    assert utf8(b"b\xe9.bin".decode("utf-8", "surrogateescape")) == "b\\351.bin"


def test_half_a_surrogate_pair_is_shown_by_its_number():
    assert utf8("half \ud83d") == "half \\ud83d"


@pytest.mark.parametrize("text", ["", "plain \\351", "caf\u00e9", "\U0001f600"])
def test_other_text_is_left_as_it_is(text):
    assert utf8(text) == text


def test_a_reason_names_a_path_of_any_bytes_and_can_be_sent_and_told_apart():
    reason = Reason(code="size", text="b\udce9.bin is too large")
    assert reason.text == "b\\351.bin is too large"
    assert Verdict(accepted=False, reasons=(reason,)).signature
