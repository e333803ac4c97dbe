"""Creates the SDK's client for the service a loop uses, with the loop's credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast

import anthropic
import httpx2
from anthropic.lib.credentials import WorkloadIdentityCredentials

from autonomous_loop.domain.service import Provider, ServiceAccess
from autonomous_loop.errors import CredentialError

SDK_RETRIES = 4
IDENTITY_S = 30.0
IDENTITY_TRIES = 3
CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class _Identity(Protocol):
    def __call__(self) -> str: ...


class IdentityError(CredentialError, anthropic.AnthropicError):
    """There is no identity token to exchange. The SDK passes on errors of its own type unchanged."""


def make_client(access: ServiceAccess) -> anthropic.AsyncAnthropic:
    """Return a client. All share one interface, but clouds lack the Models API (see `models.ModelService`).

    Raises:
        CredentialError: something is missing; or a cloud's library is not installed, or finds no credentials.
    """
    access.require()
    common: dict[str, Any] = {"max_retries": SDK_RETRIES, "base_url": access.base_url or None}
    try:
        return cast("anthropic.AsyncAnthropic", _CLIENTS[access.provider](access, common))
    except ImportError:  # the SDK's own error is an ImportError too
        raise _no_library(access) from None


def _anthropic(access: ServiceAccess, common: dict[str, Any]) -> anthropic.AsyncAnthropic:
    if access.api_key:
        return anthropic.AsyncAnthropic(api_key=access.api_key, **common)
    if access.auth_token:
        return anthropic.AsyncAnthropic(auth_token=access.auth_token, **common)
    return anthropic.AsyncAnthropic(
        credentials=WorkloadIdentityCredentials(
            identity_token_provider=_identity(access),
            federation_rule_id=access.federation_rule,
            organization_id=access.organization,
            service_account_id=access.service_account or None,
            workspace_id=access.workspace or None,
        ),
        **common,
    )


def _bedrock(access: ServiceAccess, common: dict[str, Any]) -> Any:  # noqa: ANN401 - of the same interface
    import botocore  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - optional; every answer's stream needs it

    if access.api_key:
        return anthropic.AsyncAnthropicBedrock(api_key=access.api_key, aws_region=access.region, **common)
    _require_aws_credentials(access)
    return anthropic.AsyncAnthropicBedrock(aws_region=access.region, **common)


def _aws(access: ServiceAccess, common: dict[str, Any]) -> Any:  # noqa: ANN401 - of the same interface
    given: dict[str, Any] = {"aws_region": access.region, "workspace_id": access.workspace}
    if access.api_key:
        return anthropic.AsyncAnthropicAWS(api_key=access.api_key, **given, **common)
    _require_aws_credentials(access)
    return anthropic.AsyncAnthropicAWS(**given, **common)


def _vertex(access: ServiceAccess, common: dict[str, Any]) -> Any:  # noqa: ANN401 - of the same interface
    import google.auth  # noqa: PLC0415 - optional, and slow to import

    try:
        credentials, _ = google.auth.default(scopes=[CLOUD_SCOPE])
    except google.auth.exceptions.GoogleAuthError:
        raise CredentialError(
            "Google Cloud's credentials are missing or broken in this job.",
            hint="sign in with google-github-actions/auth before this step (it sets "
            "GOOGLE_APPLICATION_CREDENTIALS).",
        ) from None
    return anthropic.AsyncAnthropicVertex(
        region=access.region, project_id=access.project, credentials=credentials, **common
    )


def _foundry(access: ServiceAccess, common: dict[str, Any]) -> Any:  # noqa: ANN401 - of the same interface
    if not access.base_url:
        common |= {"resource": access.resource}
    return anthropic.AsyncAnthropicFoundry(api_key=access.api_key, **common)


_CLIENTS = {
    Provider.ANTHROPIC: _anthropic,
    Provider.BEDROCK: _bedrock,
    Provider.VERTEX: _vertex,
    Provider.FOUNDRY: _foundry,
    Provider.AWS: _aws,
}


def _require_aws_credentials(access: ServiceAccess) -> None:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, and slow to import
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]  # noqa: PLC0415 - the same

    try:
        found = boto3.Session(region_name=access.region).get_credentials()
    except BotoCoreError:
        found = None
    if found is None:
        raise CredentialError(
            "AWS's credentials are missing or broken in this job.",
            hint="sign in with aws-actions/configure-aws-credentials before this step (it sets "
            "AWS_ACCESS_KEY_ID and the rest).",
        )


def _no_library(access: ServiceAccess) -> CredentialError:
    return CredentialError(
        f"the provider {access.provider} needs a library that is not installed.",
        hint="install autonomous-loop[cloud]; the container image has it.",
    )


def _identity(access: ServiceAccess) -> _Identity:
    """Return the source of identity tokens, asked for each exchange, since the tokens live only minutes."""
    if access.identity_token:
        return lambda: access.identity_token
    if access.identity_token_file:
        return lambda: _read(access.identity_token_file)
    return lambda: _ask_github(access)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityError(
            f"the identity token in {path} cannot be read ({type(error).__name__}).",
            hint="set ANTHROPIC_IDENTITY_TOKEN_FILE to the file that holds it.",
        ) from None


def _ask_github(access: ServiceAccess) -> str:
    """Fetch an identity token for this job. No message contains a token or an address."""
    said = ""
    transport = httpx2.HTTPTransport(retries=IDENTITY_TRIES)
    with httpx2.Client(timeout=IDENTITY_S, transport=transport) as client:
        for _ in range(IDENTITY_TRIES):
            try:
                answer = client.get(
                    httpx2.URL(access.oidc_url).copy_merge_params({"audience": access.audience}),
                    headers={"Authorization": f"Bearer {access.oidc_token}"},
                )
                said = f"HTTP {answer.status_code}"
                if answer.status_code == 200:
                    return str(answer.json()["value"])
                if answer.status_code < 500:
                    break
            except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
                said = type(error).__name__
    raise IdentityError(
        f"GitHub gave this job no identity token ({said}).",
        hint="see that the job's permissions have `id-token: write`, then run it again.",
    )
