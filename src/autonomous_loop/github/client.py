"""Creates the GitHub client, and translates its exceptions in one place."""

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
"""The login that GitHub shows for actions of a workflow's own token."""
# PATCH is included because we always write a whole title, body or state, so a repetition changes nothing.
# POST is not: a comment answered by two 502s was written three times. `once` finds creations by their marker.
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_TRIES: Final = 3
NOT_PERMITTED: Final = "not permitted to create or approve pull requests"


def connect(token: str, api_url: str, *, backoff_s: float = 1.0, longest_wait_s: float = 90.0) -> Github:
    """Return a client for `GITHUB_API_URL`.

    Args:
        token: from the action's input.
        api_url: such as `https://api.github.com`, or an Enterprise server's `https://HOST/api/v3`.
        backoff_s: seconds before the first retry; doubled each time.
        longest_wait_s: a longer rate limit is an error, because a paid runner must not sleep.
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
        # PyGithub's own pauses (0.25 s and 1 s) would cost a session minutes, and a loop makes few requests.
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Convert exceptions of PyGithub and its transport into a ForgeError that names the action.

    Args:
        doing: the action, such as "opening the pull request".

    Raises:
        ForgeError: with GitHub's own words and the status; 0 if there was no answer.
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
    """Return an error that a person can act on."""
    said = _said(error)
    return ForgeError(
        f"GitHub refused {doing}: {said} (HTTP {error.status}).", status=error.status, hint=_hint(error, said)
    )


def status_of(error: Exception) -> int:
    """Return the HTTP status; 0 if there was no answer."""
    return error.status if isinstance(error, GithubException) else 0


def repeated(call: Callable[[], T], *, pause_s: float = 1.0) -> T:
    """Repeat an idempotent call until GitHub answers, three times at most.

    Raises:
        GithubException, requests.RequestException: a refusal (4xx), or the last failure.
    """
    for number in range(_TRIES - 1):
        try:
            return call()
        except (GithubException, requests.RequestException) as error:
            if 400 <= status_of(error) < 500:  # GitHub understood and refused
                raise
        time.sleep(pause_s * 2**number)
    return call()


def once(find: Callable[[], T | None], create: Callable[[], T], *, pause_s: float = 1.0) -> T:
    """Create something exactly once, even if an answer is lost: look, create, and look again.

    Args:
        find: finds an earlier creation by its marker; None if there is none.
        create: sends one POST.
        pause_s: seconds before the second try; doubled each time.

    Raises:
        GithubException, requests.RequestException: a refusal (4xx), or the last failure.
    """

    def find_or_create() -> T:
        found = find()
        return create() if found is None else found

    return repeated(find_or_create, pause_s=pause_s)


def own_login(client: Github, token: str) -> str:
    """Return the login of the token, to recognise the loop's own comments.

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
