from autonomous_loop.agent.text import first_line, trim


def test_a_text_that_fits_is_unchanged():
    assert trim("x" * 90, 90) == "x" * 90


def test_a_longer_one_keeps_head_and_tail_and_says_how_much_is_missing():
    text = trim("".join(f"{n:04}" for n in range(1_000)), 90)
    assert text.startswith("00000001")
    assert text.endswith("09980999")
    assert "3910 characters left out" in text
    assert len(text) < 150


def test_a_line_is_short():
    assert first_line("  one\ntwo") == "one"
    assert first_line("") == ""
    assert first_line("abcdef", 4) == "abc…"
