"""Addresses of remotes, and what a workflow file says."""

import pytest

from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.workflow import ours, read_workflow, repository_of

GITHUB = "https://github.com"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/octo/guest.book.git",
        "https://x:y@github.com/octo/guest.book",
        "git@github.com:octo/guest.book.git",
        "ssh://git@github.com:22/octo/guest.book.git",
        "https://GitHub.com/octo/guest.book/",
    ],
)
def test_an_address_on_the_server_names_a_repository(address):
    assert repository_of(address, GITHUB) == "octo/guest.book"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com.evil.example/octo/guestbook",
        "https://evil.example/github.com/octo",
        "https://github.com@evil.example/octo/guestbook",
        "git@evil.example:octo/guestbook.git",
        "/srv/git/guestbook.git",
        "https://github.com/octo/guestbook/../../x",
        "",
    ],
)
def test_any_other_address_names_none(address):
    assert repository_of(address, GITHUB) == ""


def test_ours_needs_nothing():
    facts = read_workflow(ours(), source="w")
    assert (facts.missing_events, facts.missing_permissions, facts.secrets) == (
        (),
        (),
        ("ANTHROPIC_API_KEY",),
    )
    assert facts.timeout_minutes == 60


def test_what_a_workflow_lacks_is_told():
    text = b"on: [issues]\n"
    text += b"jobs: {a: {steps: [{uses: x/autonomous-loop@v1, with: {max-usd: 3, model: '${{x}}'}}]}}"
    facts = read_workflow(text, source="w")
    assert facts.missing_events == ("issue_comment", "workflow_dispatch")
    assert facts.missing_permissions == ("contents", "issues", "pull-requests", "actions")
    assert facts.inputs == {"max-usd": "3"}
    assert facts.timeout_minutes == 360


def test_a_workflow_that_calls_ours_is_one():
    text = b"on: issues\npermissions: write-all\n"
    text += b"jobs: {a: {uses: x/autonomous-loop/.github/workflows/loop.yml@v1}}"
    facts = read_workflow(text, source="w")
    assert (facts.missing_permissions, facts.timeout_minutes) == ((), 60)


@pytest.mark.parametrize(
    "text", [b"a: [", b"\xff", b"on: push\njobs: {a: {steps: [{run: 'true'}]}}", b"[]", b""]
)
def test_what_is_no_such_workflow_is_an_error(text):
    with pytest.raises(ConfigurationError):
        read_workflow(text, source="w")


def test_aliases_of_aliases_are_not_written_out():
    rows = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    job = "jobs: {a: {steps: [{uses: x/autonomous-loop@v1, with: {model: *a39, setup: *a39}}]}}"
    facts = read_workflow("\n".join([*rows, "on: *a39", job]).encode(), source="w")
    assert facts.inputs == {}


@pytest.mark.parametrize("text", ["a: &a {b: 1}\non: {<<: *a}", "[" * 5_000])
def test_merge_keys_and_endless_nesting_are_refused(text):
    with pytest.raises(ConfigurationError, match="YAML"):
        read_workflow(text.encode(), source="w")
