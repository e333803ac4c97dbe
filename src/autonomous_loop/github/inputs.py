"""The inputs of the action that are no configuration: credentials, addresses, what one job is about."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

TOKEN: Final = "${{ github.token }}"  # noqa: S105 - an expression, where the runner finds it


class JobInputs(BaseModel):
    """By the names of the action, with `_` for `-`. Keys of `LoopConfig` are inputs too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anthropic_api_key: str = Field("", repr=False, description="Key of the Messages API, from a secret.")
    anthropic_auth_token: str = Field(
        "", repr=False, description="A gateway's bearer token, from a secret, instead of a key."
    )
    anthropic_base_url: str = Field("", description="Another address of the Messages API, such as a gateway.")
    provider: str = Field(
        "", description="anthropic (default), bedrock, vertex, foundry or aws: by the job's own sign-in."
    )
    anthropic_federation_rule_id: str = Field(
        "",
        description="Identity federation instead of a key: the rule's id; the job needs `id-token: write`.",
    )
    anthropic_organization_id: str = Field("", description="With a federation rule: your organization's id.")
    anthropic_service_account_id: str = Field(
        "", description="With a federation rule: the service account, where the rule asks."
    )
    anthropic_workspace_id: str = Field(
        "", description="With a federation rule for several workspaces: which one; with provider aws: it."
    )
    anthropic_oidc_audience: str = Field(
        "", description="With a federation rule: the token's audience (default https://api.anthropic.com)."
    )
    github_token: str = Field(
        TOKEN,
        repr=False,
        description="Token of the repository: contents, issues, pull-requests and actions, each write.",
    )
    handoff_key: str = Field(
        "",
        repr=False,
        description="Signs the handoff and the journal; without it a key derived from the API key does.",
    )
    handoff_key_previous: str = Field(
        "", repr=False, description="The handoff key before this one: still accepted while it is changed."
    )
    network: str = Field(
        "",
        description="What the hands may reach: open (default), allowed (allowed-hosts) or none but loopback.",
    )
    allowed_hosts: str = Field(
        "",
        description="With network allowed: hosts, one a line: example.org, *.example.com, a.example:8443.",
    )
    issue: str = Field("", description="Number of the issue to work on, in place of what the event says.")
    request: str = Field(
        "",
        description="A Markdown file of the default branch, in place of an issue: for a dispatch that names "
        "nothing else; a schedule takes each version of it once.",
    )
    loop: str = Field("", description="Id of the loop to go on with, in place of what the event says.")
    settings: str = Field(
        "",
        description="Other keys of docs/configuration.md, KEY=VALUE, one a line; an input of its own wins.",
    )


class HostInputs(JobInputs):
    """And those of `host/`, where the hands use the job's own machine."""

    path: str = Field(
        "",
        description="More folders for the hands' PATH, one a line; what earlier steps put on PATH is there.",
    )
    readable: str = Field("", description="More folders the hands may read, one a line.")
    env: str = Field(
        "",
        description="Variables of the job that the hands get, one name a line, such as DATABASE_URL.",
    )
