"""The way to GitHub: one client, and one translation of what it raises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import requests
from github import Auth, Github, GithubRetry
from github.GithubException import BadCredentialsException, GithubException, RateLimitExceededException

from autonomous_loop.errors import ForgeError

T = TypeVar("T")

TIMEOUT_S: Final = 30
WORKFLOW_BOT: Final = "github-actions[bot]"
"""Whose name stands on what a workflow's own token does."""
# PATCH too: we always write a whole title, body or state, so that twice is as good as once. Never POST: a
# comment answered by two 502s was written three times. What is created is found again by its marker instead.
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_TRIES: Final = 3
NOT_PERMITTED: Final = "not permitted to create or approve pull requests"


def connect(token: str, api_url: str, *, backoff_s: float = 1.0, longest_wait_s: float = 90.0) -> Github:
    """A client for `GITHUB_API_URL`.

    Args:
        token: of the action's input.
        api_url: such as `https://api.github.com`, or an Enterprise server's `https://HOST/api/v3`.
        backoff_s: before the first repetition; it doubles.
        longest_wait_s: a rate limit that lasts longer is an error: nobody sleeps on a paid runner.
    """
    retry = GithubRetry(
        total=_TRIES,
        backoff_factor=backoff_s,
        allowed_methods=_IDEMPOTENT,
        max_rate_limit_wait=longest_wait_s,
    )
    return Github(
        base_url=api_url.rstrip("/"),
        auth=Auth.Token(token),
        timeout=TIMEOUT_S,
        retry=retry,
        per_page=100,
        user_agent="autonomous-loop",
        # PyGithub's own pauses (0.25 s and 1 s) would cost a session minutes; a loop makes few requests.
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what PyGithub and its transport raise into a ForgeError that says what was being done.

    Args:
        doing: such as "opening the pull request".

    Raises:
        ForgeError: with GitHub's own words and the status; 0 when there was no answer.
    """
    try:
        yield
    except GithubException as error:
        raise forge_error(doing, error) from None
    except requests.RequestException as error:
        raise ForgeError(
            f"GitHub did not answer while {doing} ({type(error).__name__}).",
            hint="this passes by itself as a rule: run the job again.",
        ) from None


def forge_error(doing: str, error: GithubException) -> ForgeError:
    """The error a person can act on."""
    said = _said(error)
    return ForgeError(
        f"GitHub refused {doing}: {said} (HTTP {error.status}).", status=error.status, hint=_hint(error, said)
    )


def status_of(error: Exception) -> int:
    """The HTTP status; 0 when there was no answer."""
    return error.status if isinstance(error, GithubException) else 0


def repeated(call: Callable[[], T], *, pause_s: float = 1.0) -> T:
    """Call something that may be done twice until GitHub answers; three times at most.

    Raises:
        GithubException, requests.RequestException: a refusal (4xx), or the last failure.
    """
    for number in range(_TRIES - 1):
        try:
            return call()
        except (GithubException, requests.RequestException) as error:
            if 400 <= status_of(error) < 500:  # understood and refused
                raise
        time.sleep(pause_s * 2**number)
    return call()


def once(find: Callable[[], T | None], create: Callable[[], T], *, pause_s: float = 1.0) -> T:
    """Create something exactly once although the answer may be lost: look, create, and look again.

    Args:
        find: what was created before, by its marker; None when there is nothing.
        create: one POST.
        pause_s: before the second try; it doubles.

    Raises:
        GithubException, requests.RequestException: a refusal (4xx), or the last failure.
    """

    def find_or_create() -> T:
        found = find()
        return create() if found is None else found

    return repeated(find_or_create, pause_s=pause_s)


def own_login(client: Github, token: str) -> str:
    """Whose token it is: its comments are ours.

    An installation's token (a workflow's own, or an app's) has no `/user`; GraphQL knows its bot.

    Raises:
        ForgeError: the token is refused, or GitHub did not answer.
    """
    with translated("asking whose token it is"):
        if not token.startswith("ghs_"):
            try:
                return client.get_user().login
            except GithubException as error:
                if error.status not in {403, 404}:
                    raise
        try:
            _, answer = client.requester.graphql_query("query { viewer { login } }", {})
        except GithubException as error:
            if error.status == 401:
                raise
            return WORKFLOW_BOT
    return str(answer["data"]["viewer"]["login"])


def _said(error: GithubException) -> str:
    data = error.data
    message = data.get("message") if isinstance(data, dict) else None
    parts = [str(message)] if message else [error.message or "no reason given"]
    errors = data.get("errors") if isinstance(data, dict) else None
    if isinstance(errors, list):
        for one in errors:
            if isinstance(one, dict):  # {"message": ...}, or {"resource": ..., "field": ..., "code": ...}
                said = one.get("message") or f"{one.get('field', '')} {one.get('code', '')}".strip()
                parts.append(str(said))
            elif one:
                parts.append(str(one))
    return ". ".join(part.rstrip(".") for part in dict.fromkeys(parts))[:500]


def _hint(error: GithubException, said: str) -> str:
    if NOT_PERMITTED in said:
        return (
            'a repository admin must tick "Allow GitHub Actions to create and approve pull requests" '
            "(Settings, Actions, General, Workflow permissions), or the action needs an app's token."
        )
    if isinstance(error, RateLimitExceededException):
        return "the token's rate limit is used up; it is whole again within the hour."
    if isinstance(error, BadCredentialsException):
        return "the input github-token is not valid (any more)."
    if error.status in {403, 404}:
        return "the token lacks a permission: contents, issues, pull-requests and actions must be `write`."
    return ""
