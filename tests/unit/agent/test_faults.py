import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anthropic
import httpx2
import pytest

from autonomous_loop.agent.faults import (
    CutStreamError,
    is_broken_stream,
    resume_time,
    retry_after_s,
    translate,
)
from autonomous_loop.errors import (
    ContextExhaustedError,
    CredentialError,
    LoopError,
    ModelError,
    ServiceError,
    TransientError,
    UsageLimitError,
)

REQUEST = httpx2.Request(
    "POST", "http://127.0.0.1/v1/messages", headers={"authorization": "Bearer sk-hidden"}
)

# Of our own making: half a surrogate pair in what is to be sent.
UNSENDABLE = UnicodeEncodeError("utf-8", "sk-hidden \udce9", 10, 11, "surrogates not allowed")


def answered(status, kind="x_error", message="words", headers=None):
    body = {"type": "error", "error": {"type": kind, "message": message}}
    response = httpx2.Response(status, json=body, headers=headers, request=REQUEST)
    return anthropic.APIStatusError("sk-hidden", response=response, body=body)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered(400, message="prompt is too long: 9 tokens > 8 maximum"), ContextExhaustedError),
        (answered(400, message="input length and `max_tokens` exceed context limit"), ContextExhaustedError),
        (answered(400, message="Your credit balance is too low"), CredentialError),
        (answered(400, message="messages.0: wrong"), ServiceError),
        (answered(401), CredentialError),
        (answered(402), CredentialError),
        (answered(403), CredentialError),
        (answered(404), ModelError),
        (answered(408), TransientError),
        (answered(413), ContextExhaustedError),
        (answered(429), UsageLimitError),
        (answered(500), TransientError),
        (answered(529), TransientError),
        (answered(529, headers={"retry-after": "30"}), UsageLimitError),
        (answered(200, kind="overloaded_error"), TransientError),
        (answered(200, kind="rate_limit_error"), UsageLimitError),
        (answered(200, kind="invalid_request_error"), ServiceError),
        (anthropic.APITimeoutError(REQUEST), TransientError),
        (anthropic.APIConnectionError(request=REQUEST), TransientError),
        (httpx2.ReadError("reset"), TransientError),
        (httpx2.ReadTimeout("silence"), TransientError),
        (CutStreamError(), TransientError),
        (json.JSONDecodeError("Expecting value", "sk-hidden", 0), TransientError),
        (UNSENDABLE, LoopError),
        (RuntimeError("sk-hidden"), ServiceError),
        (LoopError("ours"), LoopError),
    ],
)
def test_each_error_of_the_sdk_becomes_one_of_ours_without_what_it_may_hide(error, expected):
    made = translate(error, model="m")
    assert type(made) is expected
    assert "sk-hidden" not in str(made)


def test_what_a_connections_failure_quotes_is_left_out():
    error = anthropic.APIConnectionError(request=REQUEST)
    error.__cause__ = httpx2.ConnectError("Bearer sk-hidden")
    assert "sk-hidden" not in str(translate(error, model="m"))
    assert "ConnectError" in str(translate(error, model="m"))


@pytest.mark.parametrize("status", [200, 429])
def test_a_limit_that_names_no_end_says_that_the_loop_pauses(status):
    assert "after a pause" in translate(answered(status, kind="rate_limit_error"), model="m").hint
    named = translate(answered(429, headers={"retry-after": "60"}), model="m")
    assert "when it ends" in named.hint


def test_only_an_answer_that_broke_off_is_asked_for_again():
    assert is_broken_stream(answered(200, kind="overloaded_error"))
    assert is_broken_stream(httpx2.RemoteProtocolError("incomplete chunked read"))
    assert is_broken_stream(CutStreamError())
    assert is_broken_stream(json.JSONDecodeError("Expecting value", "<html>", 0))
    assert not is_broken_stream(UNSENDABLE)
    assert not is_broken_stream(answered(529, kind="overloaded_error"))
    assert not is_broken_stream(answered(200, kind="rate_limit_error"))
    assert not is_broken_stream(UsageLimitError("wait"))
    assert not is_broken_stream(TypeError("authentication"))


def test_a_wait_is_seconds_or_a_date():
    assert retry_after_s({"retry-after": "7.5"}) == 7.5
    assert retry_after_s({"retry-after": "-3"}) == 0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < retry_after_s({"retry-after": soon}) <= 90
    assert retry_after_s({"retry-after": "later"}) is None
    assert retry_after_s({}) is None


def test_the_time_to_resume_is_the_last_reset_of_a_limit_that_is_used_up():
    headers = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:10Z",
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2030-01-01T00:00:20+00:00",
        "anthropic-ratelimit-output-tokens-remaining": "5",
        "anthropic-ratelimit-output-tokens-reset": "2031-01-01T00:00:00Z",
        "anthropic-ratelimit-input-tokens-reset": "soon",
    }
    assert resume_time(headers) == datetime(2030, 1, 1, 0, 0, 20, tzinfo=UTC)
    assert resume_time({"anthropic-ratelimit-unified-reset": "1893456000"}) == datetime(
        2030, 1, 1, tzinfo=UTC
    )
    assert resume_time({}) is None
    left = resume_time({"retry-after": "60", **headers}) - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)


@pytest.mark.parametrize("said", ["0", "-5", "inf", "nan", "1e300", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_an_end_that_is_no_time_to_come_is_none(said):
    assert resume_time({"retry-after": said}) is None
    assert resume_time({"anthropic-ratelimit-unified-reset": "1893456"}) is None
