"""The action's inputs that are not configuration: credentials, addresses, and the subject of one job."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

TOKEN: Final = "${{ github.token }}"  # noqa: S105 - an expression, where the runner finds it


class JobInputs(BaseModel):
    """The inputs, named as in the action with `_` for `-`. Keys of `LoopConfig` are inputs too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anthropic_api_key: str = Field("", repr=False, description="API key for Claude. Take it from a secret.")
    anthropic_auth_token: str = Field(
        "",
        repr=False,
        description="Bearer token for a gateway, instead of an API key. Take it from a secret.",
    )
    anthropic_base_url: str = Field("", description="Address of the Claude API, if you use a gateway.")
    provider: str = Field(
        "",
        description="Service that runs Claude: anthropic (default), bedrock, vertex, foundry or aws. The "
        "cloud services use the job's own credentials.",
    )
    anthropic_federation_rule_id: str = Field(
        "",
        description="Id of an identity federation rule, instead of an API key. The job needs the "
        "permission `id-token: write`.",
    )
    anthropic_organization_id: str = Field(
        "",
        description="Id of your Anthropic organization. Needed with a federation rule.",
    )
    anthropic_service_account_id: str = Field(
        "",
        description="Id of a service account. Needed when the federation rule asks for one.",
    )
    anthropic_workspace_id: str = Field(
        "",
        description="Workspace id; needed when the rule spans several workspaces, and with provider `aws`.",
    )
    anthropic_oidc_audience: str = Field(
        "",
        description="Audience of the identity token for a federation rule. Default: "
        "https://api.anthropic.com.",
    )
    github_token: str = Field(
        TOKEN,
        repr=False,
        description="GitHub token with write access to contents, issues, pull-requests and actions.",
    )
    handoff_key: str = Field(
        "",
        repr=False,
        description="Key that signs the handoff and the journal. Default: a key derived from the API key.",
    )
    handoff_key_previous: str = Field(
        "",
        repr=False,
        description="The previous handoff key. It is still accepted while you change keys.",
    )
    network: str = Field(
        "",
        description="Network access of the sandbox: open (default), allowed (only allowed-hosts and "
        "loopback) or none (only loopback).",
    )
    allowed_hosts: str = Field(
        "",
        description="Hosts that the sandbox may reach with network allowed, one a line, such as "
        "example.org, *.example.com or a.example:8443.",
    )
    issue: str = Field(
        "",
        description="Number of the issue to work on. Default: the issue that the event names.",
    )
    request: str = Field(
        "",
        description="Path of a Markdown file on the default branch to work on, instead of an issue. It is "
        "used when a manual run names nothing else. A scheduled run takes each version of the "
        "file once.",
    )
    loop: str = Field("", description="Id of the loop to continue. Default: the loop that the event names.")
    settings: str = Field(
        "",
        description="More configuration keys (docs/configuration.md) as KEY=VALUE, one a line. If a key "
        "is also given as an input, the input wins.",
    )


class HostInputs(JobInputs):
    """Adds the inputs of `host/`, where the sandbox runs on the job's own machine."""

    path: str = Field(
        "",
        description="More folders for the sandbox's PATH, one a line. Folders that earlier steps added to "
        "PATH are already there.",
    )
    readable: str = Field("", description="More folders that the sandbox may read, one a line.")
    env: str = Field(
        "",
        description="Variables of the job to pass to the sandbox, one name a line, such as DATABASE_URL.",
    )
