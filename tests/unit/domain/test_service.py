import pytest

from autonomous_loop.domain.service import Provider, ServiceAccess
from autonomous_loop.errors import ConfigurationError, CredentialError

OIDC = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x/?a=b", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc-secret"}
RULE = {"anthropic_federation_rule_id": "fdrl_1"}
IDS = RULE | {"anthropic_organization_id": "org"}
REGION = {"AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("env", "given"),
    [
        ({"ANTHROPIC_API_KEY": "key-secret"}, {}),
        ({}, {"anthropic_api_key": "key-secret"}),
        ({}, {"anthropic_auth_token": "t", "anthropic_base_url": "https://gateway.example"}),
        (OIDC, IDS),
        ({"ANTHROPIC_IDENTITY_TOKEN_FILE": "/x"}, IDS),
        (REGION, {"provider": "bedrock"}),
        ({"CLOUD_ML_REGION": "global", "GOOGLE_CLOUD_PROJECT": "p"}, {"provider": "vertex"}),
        ({"ANTHROPIC_FOUNDRY_API_KEY": "f", "ANTHROPIC_FOUNDRY_RESOURCE": "r"}, {"provider": "foundry"}),
        (REGION | {"ANTHROPIC_AWS_WORKSPACE_ID": "w"}, {"provider": "aws"}),
        (REGION, {"provider": "aws", "anthropic_workspace_id": "w"}),
    ],
)
def test_what_is_enough(env, given):
    ServiceAccess.read(env, given).require()


@pytest.mark.parametrize(
    ("env", "given", "named"),
    [
        ({}, {}, "anthropic-api-key"),
        ({}, {"anthropic_api_key": "a", "anthropic_auth_token": "b"}, "anthropic-auth-token"),
        ({}, {"anthropic_api_key": "a"} | IDS, "anthropic-federation-rule-id"),
        (OIDC, RULE, "anthropic-organization-id"),
        ({}, IDS, "id-token: write"),
        ({"ANTHROPIC_API_KEY": "key-secret"}, {"provider": "bedrock"}, "AWS_REGION"),
        ({"CLOUD_ML_REGION": "global"}, {"provider": "vertex"}, "ANTHROPIC_VERTEX_PROJECT_ID"),
        ({"ANTHROPIC_FOUNDRY_RESOURCE": "r"}, {"provider": "foundry"}, "ANTHROPIC_FOUNDRY_API_KEY"),
        (REGION, {"provider": "aws"}, "ANTHROPIC_AWS_WORKSPACE_ID"),
    ],
)
def test_what_is_missing_or_contradicts_is_named(env, given, named):
    with pytest.raises(CredentialError) as refused:
        ServiceAccess.read(env, given).require()
    assert named in str(refused.value)


def test_an_unknown_provider_is_an_error():
    with pytest.raises(ConfigurationError) as refused:
        ServiceAccess.read({}, {"provider": "openai"})
    assert "bedrock" in refused.value.hint


def test_inputs_put_the_environments_ways_aside():
    found = ServiceAccess.read({"ANTHROPIC_API_KEY": "key-secret"} | OIDC, IDS)
    found.require()
    assert found.api_key == ""
    assert "key-secret" in found.secrets


def test_only_a_direct_key_signs_handoffs():
    direct = ServiceAccess.read({"ANTHROPIC_API_KEY": "key-secret"})
    assert direct.key_material == "key-secret"
    for other in (
        ServiceAccess.read({}, {"anthropic_auth_token": "t-secret"}),
        ServiceAccess.read(OIDC, IDS),
        ServiceAccess.read(REGION | {"ANTHROPIC_API_KEY": "key-secret"}, {"provider": "bedrock"}),
        ServiceAccess.read({"ANTHROPIC_FOUNDRY_API_KEY": "f-secret"}, {"provider": "foundry"}),
    ):
        assert other.key_material == ""


def test_nothing_secret_is_shown_and_everything_secret_is_known():
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_IDENTITY_TOKEN", "AWS_SECRET_ACCESS_KEY")
    names += ("AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "ANTHROPIC_FOUNDRY_API_KEY")
    names += ("ANTHROPIC_AWS_API_KEY", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    env = {name: f"secret-{number}" for number, name in enumerate(names)}
    given = {"anthropic_api_key": "secret-a", "anthropic_auth_token": "secret-b"}
    for provider in Provider:
        found = ServiceAccess.read(env, given | {"provider": provider})
        assert "secret-" not in repr(found)
        assert set(found.secrets) == {*env.values(), "secret-a", "secret-b"}


def test_files_with_credentials_are_known():
    env = {"GOOGLE_APPLICATION_CREDENTIALS": "/github/workspace/gha-creds.json"}
    assert ServiceAccess.read(env, {"provider": "vertex"}).files == ("/github/workspace/gha-creds.json",)
