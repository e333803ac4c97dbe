"""The model's service, and the loop's credentials for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from autonomous_loop.errors import ConfigurationError, CredentialError

AUDIENCE = "https://api.anthropic.com"
# Variables of a job's environment that give access to a service, whichever one the loop uses.
SECRET_NAMES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_IDENTITY_TOKEN",
    "ANTHROPIC_AWS_API_KEY",
    "ANTHROPIC_FOUNDRY_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
# Files that hold credentials; the sandbox must not be able to read them.
FILE_NAMES = (
    "ANTHROPIC_IDENTITY_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
)


class Provider(StrEnum):
    """The company that runs the model."""

    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    VERTEX = "vertex"
    FOUNDRY = "foundry"
    AWS = "aws"


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """The service and the loop's credentials for it. A cloud's own library finds that cloud's credentials.

    Attributes:
        base_url: another address; empty: the provider's own.
        api_key: key for Anthropic, Foundry, Bedrock (a bearer token) or the Claude Platform on AWS.
        auth_token: a bearer token, as gateways accept it.
        federation_rule, organization, service_account, workspace: ids of Anthropic's identity federation; the
            workspace also of the Claude Platform on AWS.
        identity_token, identity_token_file: a token of another identity provider to exchange.
        oidc_url, oidc_token: where GitHub gives this job an identity token, and the token it wants.
        region, project, resource: of the cloud: AWS's or Google's region, Google's project, Azure's resource.
        secrets: every value that must never leave.
        files: paths that the sandbox must not be able to read.
    """

    provider: Provider = Provider.ANTHROPIC
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    auth_token: str = field(default="", repr=False)
    federation_rule: str = ""
    organization: str = ""
    service_account: str = ""
    workspace: str = ""
    audience: str = AUDIENCE
    identity_token: str = field(default="", repr=False)
    identity_token_file: str = ""
    oidc_url: str = ""
    oidc_token: str = field(default="", repr=False)
    region: str = ""
    project: str = ""
    resource: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Mapping[str, str], given: Mapping[str, str] | None = None) -> Self:
        """Read the action's inputs, and the environment for inputs that were not given.

        Args:
            env: the job's environment.
            given: inputs, by name with underscores; empty ones were not given. If one of them is a credential
                for Anthropic, the environment's credentials for Anthropic are ignored.

        Raises:
            ConfigurationError: an unknown provider.
        """
        inputs = {name: value for name, value in (given or {}).items() if value}
        try:
            provider = Provider(inputs.get("provider") or env.get("AUTONOMOUS_LOOP_PROVIDER") or "anthropic")
        except ValueError:
            known = ", ".join(Provider)
            raise ConfigurationError(
                "provider names no service we know", hint=f"set it to one of {known}."
            ) from None
        chosen = {"anthropic_api_key", "anthropic_auth_token", "anthropic_federation_rule_id"} & set(inputs)

        def one(name: str, *variables: str, aside: bool = False) -> str:
            found = next((env[variable] for variable in variables if env.get(variable)), "")
            return inputs.get(name) or ("" if aside and chosen else found)

        prefix = "" if provider is Provider.ANTHROPIC else f"{provider.upper()}_"
        keys = {
            Provider.BEDROCK: "AWS_BEARER_TOKEN_BEDROCK",
            Provider.FOUNDRY: "ANTHROPIC_FOUNDRY_API_KEY",
            Provider.AWS: "ANTHROPIC_AWS_API_KEY",
        }
        direct = provider is Provider.ANTHROPIC
        api_key = (
            one("anthropic_api_key", "ANTHROPIC_API_KEY", aside=True)
            if direct
            else env.get(keys.get(provider, ""), "")
        )
        auth_token = one("anthropic_auth_token", "ANTHROPIC_AUTH_TOKEN", aside=True) if direct else ""
        secrets = (inputs.get("anthropic_api_key", ""), inputs.get("anthropic_auth_token", ""))
        return cls(
            provider=provider,
            base_url=one("anthropic_base_url", f"ANTHROPIC_{prefix}BASE_URL"),
            api_key=api_key,
            auth_token=auth_token,
            federation_rule=one("anthropic_federation_rule_id", "ANTHROPIC_FEDERATION_RULE_ID", aside=True),
            organization=one("anthropic_organization_id", "ANTHROPIC_ORGANIZATION_ID"),
            service_account=one("anthropic_service_account_id", "ANTHROPIC_SERVICE_ACCOUNT_ID"),
            workspace=one(
                "anthropic_workspace_id", "ANTHROPIC_WORKSPACE_ID" if direct else "ANTHROPIC_AWS_WORKSPACE_ID"
            ),
            audience=inputs.get("anthropic_oidc_audience", AUDIENCE),
            identity_token=env.get("ANTHROPIC_IDENTITY_TOKEN", ""),
            identity_token_file=env.get("ANTHROPIC_IDENTITY_TOKEN_FILE", ""),
            oidc_url=env.get("ACTIONS_ID_TOKEN_REQUEST_URL", ""),
            oidc_token=env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ""),
            region=one("", "CLOUD_ML_REGION")
            if provider is Provider.VERTEX
            else one("", "AWS_REGION", "AWS_DEFAULT_REGION"),
            project=one("", "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"),
            resource=one("", "ANTHROPIC_FOUNDRY_RESOURCE"),
            secrets=tuple(
                value for value in (*secrets, *(env.get(name, "") for name in SECRET_NAMES)) if value
            ),
            files=tuple(env[name] for name in FILE_NAMES if env.get(name)),
        )

    @property
    def key_material(self) -> str:
        """Secret to derive a handoff key from: only a direct Anthropic key, as no other stays the same."""
        return self.api_key if self.provider is Provider.ANTHROPIC else ""

    def require(self) -> None:
        """Fail early, before any work begins.

        Raises:
            CredentialError: something is missing or contradicts; it names the setting.
        """
        if fault := self._fault():
            message, hint = fault
            raise CredentialError(message, hint=hint)

    def _fault(self) -> tuple[str, str] | None:
        if self.provider is Provider.ANTHROPIC:
            return self._anthropic_fault()
        needed = {
            Provider.BEDROCK: {"AWS_REGION": self.region},
            Provider.VERTEX: {
                "CLOUD_ML_REGION": self.region,
                "ANTHROPIC_VERTEX_PROJECT_ID": self.project,
            },
            Provider.FOUNDRY: {
                "ANTHROPIC_FOUNDRY_API_KEY": self.api_key,
                "ANTHROPIC_FOUNDRY_RESOURCE": self.resource or self.base_url,
            },
            Provider.AWS: {"AWS_REGION": self.region, "ANTHROPIC_AWS_WORKSPACE_ID": self.workspace},
        }[self.provider]
        missing = [name for name, value in needed.items() if not value]
        if not missing:
            return None
        return (
            f"the provider {self.provider} needs {' and '.join(missing)}",
            (
                "set it in the job's environment (`env:`), as the step that signs in to the cloud does; or "
                "set the input provider to another service."
            ),
        )

    def _anthropic_fault(self) -> tuple[str, str] | None:
        ways = {
            "anthropic-api-key": self.api_key,
            "anthropic-auth-token": self.auth_token,
            "anthropic-federation-rule-id": self.federation_rule,
        }
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            return (
                f"{' and '.join(given)} are all set: the loop cannot know which one is meant",
                "leave all but one of them out (inputs, or the variables of the same names).",
            )
        if not given:
            return (
                "no API key: the loop cannot talk to the model",
                (
                    "set ANTHROPIC_API_KEY (in CI: the input anthropic-api-key, from a secret); or "
                    "anthropic-auth-token for a gateway, anthropic-federation-rule-id for GitHub's OIDC, or "
                    "provider for a cloud; or run `autonomous-loop demo`, which needs none."
                ),
            )
        if not self.federation_rule:
            return None
        if not self.organization:
            return (
                "anthropic-federation-rule-id is set, anthropic-organization-id is not",
                "set it to your organization's id, from the settings of the Claude Console.",
            )
        if not (self.identity_token or self.identity_token_file or (self.oidc_url and self.oidc_token)):
            return (
                "GitHub gives this job no identity token to show to Anthropic",
                "add `id-token: write` to the job's permissions (or set ANTHROPIC_IDENTITY_TOKEN_FILE).",
            )
        return None
