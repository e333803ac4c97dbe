from __future__ import annotations

import base64
import html
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomous_loop.errors import CredentialError
from autonomous_loop.report.escape import md
from autonomous_loop.report.redactor import Redactor

TOKEN = '_s3cr3t:/@Tok+en=with "quotes" & ünïcode\\end'
SHA = "9fceb02d0ae598e95dc970b74767f19372d61af8"
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq1\n" * 4 + "-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote(TOKEN, safe="").lower().replace("tok", "Tok"),
        quote_plus(TOKEN),
        json.dumps(TOKEN),
        json.dumps(TOKEN, ensure_ascii=False),
        json.dumps(json.dumps(TOKEN)),
        html.escape(TOKEN),
        md(TOKEN),
    ],
    ids=[
        "raw",
        "url",
        "url-all",
        "url-lower",
        "url-plus",
        "json",
        "json-utf8",
        "json-twice",
        "html",
        "markdown",
    ],
)
def test_a_known_secret_is_masked_in_every_form_it_travels_in(form):
    redactor = Redactor([TOKEN])
    shown = redactor.text(f"before {form} after")
    assert shown.replace('\\"', "").replace("\\", "").replace('"', "") == "before *** after"
    assert redactor.holds_known(f"before {form} after")


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "x-access-token:"])
@pytest.mark.parametrize("after", ["", "1", "12"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
def test_a_known_secret_is_masked_inside_base64_at_every_alignment(before, after, encode):
    secret = "ghx~~~??>>abcdefgh0123456789abcdefgh0123456789abcdefgh0123456789"
    encoded = encode(f"{before}{secret}{after}".encode()).decode()
    shown = Redactor([secret]).text(f"Authorization: Basic {encoded}")
    assert "***" in shown
    kept = shown.split("Basic ", 1)[1].replace("***", "").replace("\n", "")
    assert len(kept) <= len(base64.b64encode((before + after).encode())) + 6


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=6, max_size=40),
    st.text(max_size=60),
    st.text(max_size=60),
)
def test_whatever_the_secret_nothing_of_it_leaves(secret, before, after):
    redactor = Redactor([secret])
    shown = redactor.text(f"{before}|{secret}|{after}")
    assert f"|{secret}|" not in shown
    assert not redactor.holds_known(shown) or redactor.holds_known("***")


@given(st.binary(max_size=300))
def test_bytes_without_a_secret_come_out_as_they_went_in(data):
    assert Redactor(["a-secret-that-is-nowhere"]).bytes(data) == data


def test_bytes_of_no_encoding_are_masked_too():
    assert Redactor(["hunter2hunter2"]).bytes(b"\xff\x00hunter2hunter2\xfe") == b"\xff\x00***\xfe"


def test_text_that_leaves_can_be_written_as_utf8():
    assert Redactor([TOKEN]).text(f"b\udce9.bin {TOKEN}") == "b\\351.bin ***"


def test_each_line_of_a_long_key_is_masked_on_its_own():
    key = "-----BEGIN PRIVATE KEY-----\nAAAABBBBCCCCDDDDEEEE\nFFFFGGGGHHHHIIIIJJJJ\n-----END PRIVATE KEY-----"
    assert Redactor([key]).text("line 2: FFFFGGGGHHHHIIIIJJJJ") == "line 2: ***"


def test_of_two_secrets_the_longer_is_masked_whole():
    assert Redactor(["secret", "secret-and-more"]).text("secret-and-more") == "***"


@pytest.mark.parametrize(
    "unknown",
    [
        "ghp_" + "a1B2" * 9,
        "ghs_" + "a1B2" * 20,
        "github_pat_" + "a1B2_" * 10,
        "sk-ant-" + "api03-abcDEF" * 4,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "xoxb-" + "123456789012-abcdefGHIJ",
        "sk_live_" + "a1B2" * 6,
        "glpat-" + "a1B2" * 6,
        PEM,
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\n+"),
    ],
)
def test_an_unknown_secret_with_a_mark_of_its_own_is_masked_whole(unknown):
    assert Redactor().text(f"x = '{unknown}'\nrest") == "x = '***'\nrest"


def test_of_an_assignment_only_the_value_is_masked():
    value = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY"
    assert Redactor().text(f'aws_secret_key = "{value}"') == 'aws_secret_key = "***"'


@pytest.mark.parametrize(
    "harmless",
    [
        SHA,
        f"commit {SHA}\ntree {SHA[::-1]}",
        "sha256:" + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "password = 'correct horse'",
        "the scanner looks for -----BEGIN PRIVATE KEY----- and nothing else",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "tests/test_replies.py::test_a_reply_is_shown PASSED",
    ],
)
def test_hashes_and_ordinary_words_survive(harmless):
    assert Redactor(["unrelated-secret"]).text(harmless) == harmless


@pytest.mark.parametrize("short", ["a", "12345", "abcde\n"])
def test_a_secret_too_short_to_hide_is_refused_without_being_shown(short):
    with pytest.raises(CredentialError, match="cannot be hidden") as caught:
        Redactor([short])
    assert repr(short.strip()) not in str(caught.value)


def test_an_input_that_is_not_set_is_no_secret():
    assert Redactor(["", "hunter2hunter2"]).text("plain") == "plain"


def test_a_redactor_never_shows_what_it_hides():
    redactor = Redactor(["hunter2hunter2"])
    assert "hunter2" not in repr(redactor)
    assert not hasattr(redactor, "__dict__")


@pytest.mark.parametrize(
    "hostile",
    ["-----BEGIN PRIVATE KEY-----" * 20_000, "\\" * 400_000, "A" * 400_000, "aws key " * 50_000],
    ids=["headers", "backslashes", "letters", "keywords"],
)
def test_a_hostile_text_is_read_in_reasonable_time(hostile):
    redactor = Redactor(['quo"ted\\secret', "hunter2hunter2"])
    started = time.process_time()
    redactor.text(hostile)
    assert time.process_time() - started < 3.0
