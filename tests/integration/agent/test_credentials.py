"""Each way to prove who the loop is, over HTTP: what is sent where, and what no error may hold."""

import base64
import json
import struct
import subprocess
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from anthropic.lib.credentials import WorkloadIdentityError

from autonomous_loop.agent.client import make_client
from autonomous_loop.agent.conversation import Conversation
from autonomous_loop.agent.faults import translate
from autonomous_loop.agent.models import ModelService
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.service import Provider, ServiceAccess
from autonomous_loop.errors import CredentialError, ModelError, TransientError

EVENTS = [
    {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "x",
     "content": [], "stop_reason": None, "usage": {"input_tokens": 3, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]  # fmt: skip


def frame(event):
    """One message of AWS's event stream: prelude, headers, payload, each with its checksum."""
    headers = b""
    names = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    for name, value in names.items():
        headers += (
            bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        )
    payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


class Service:
    """Anthropic's endpoints, GitHub's identity tokens, and the clouds' shapes of both; keeps what it saw."""

    def __init__(self):
        self.seen = []
        self.lives_s = 3600
        self.token_status = self.identity_status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status, body, kind="application/json"):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                service.seen.append((self.path, dict(self.headers), None))
                self.answer(service.identity_status, json.dumps({"value": "the.github.jwt"}).encode())

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                service.seen.append((self.path, dict(self.headers), body))
                if self.path == "/v1/oauth/token":
                    minted = len([one for one in service.seen if one[0] == self.path])
                    given = {"access_token": f"minted-{minted}", "expires_in": service.lives_s}
                    if service.token_status != 200:
                        given = {"error": "invalid_grant", "error_description": f"bad {body['assertion']}"}
                    self.answer(service.token_status, json.dumps(given).encode())
                elif "invoke-with-response-stream" in self.path:
                    self.answer(200, b"".join(map(frame, EVENTS)), "application/vnd.amazon.eventstream")
                else:
                    lines = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in EVENTS)
                    self.answer(200, lines.encode(), "text/event-stream")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def last(self):
        path, headers, body = self.seen[-1]
        return path, {name.lower(): value for name, value in headers.items()}, body


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """None of this machine's own credentials; the clouds' libraries read the environment themselves."""
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "AWS_PROFILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")


async def turns(access, *, model="claude-opus-5-5", count=1):
    """That many answers in one conversation, as the coder asks for them."""
    client = make_client(access)
    try:
        asked = ModelService(client, LoopConfig(model=model), provider=access.provider)
        facts = await asked.facts() if access.provider not in {Provider.ANTHROPIC, Provider.AWS} else FACTS
        talk = Conversation(asked, facts, system="Be brief.", tools=[], seconds_left=lambda: 30.0)
        answers = []
        for _ in range(count):
            talk.say("hello?")
            answers.append((await talk.turn()).text)
        return answers
    finally:
        await client.close()


from autonomous_loop.agent.models import ModelFacts  # noqa: E402 - beside what it is for

FACTS = ModelFacts("claude-opus-5-5", 1_000_000, 64_000)


async def test_a_key_and_a_gateways_token_are_sent_as_what_they_are(service):
    keyed = ServiceAccess.read({}, {"anthropic_api_key": "key-secret", "anthropic_base_url": service.url})
    assert await turns(keyed) == ["hello"]
    path, headers, body = service.last
    assert path.startswith("/v1/messages")
    assert "key-secret" in headers.get("x-api-key", "") + headers.get("authorization", "")
    assert body["cache_control"] == {"type": "ephemeral"}

    token = ServiceAccess.read({}, {"anthropic_auth_token": "gate-secret", "anthropic_base_url": service.url})
    assert await turns(token) == ["hello"]
    assert service.last[1]["authorization"] == "Bearer gate-secret"


def federated(service, **more):
    env = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{service.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc-secret",
        # What a job may have besides: it must not be sent instead.
        "ANTHROPIC_API_KEY": "key-secret",
    }
    given = {
        "anthropic_federation_rule_id": "fdrl_1",
        "anthropic_organization_id": "org-1",
        "anthropic_base_url": service.url,
    }
    return ServiceAccess.read(env, given | more)


async def test_githubs_identity_token_is_exchanged_once_and_kept(service):
    assert await turns(federated(service, anthropic_service_account_id="svac_1"), count=3) == ["hello"] * 3
    identity, exchange, *answers = service.seen
    assert identity[0] == "/token?api-version=2.0&audience=https%3A%2F%2Fapi.anthropic.com"
    assert identity[1]["Authorization"] == "Bearer oidc-secret"
    assert exchange[0] == "/v1/oauth/token"
    assert exchange[2]["assertion"] == "the.github.jwt"
    assert exchange[2]["federation_rule_id"] == "fdrl_1"
    assert exchange[2]["organization_id"] == "org-1"
    assert exchange[2]["service_account_id"] == "svac_1"
    assert len(answers) == 3
    headers = [{name.lower(): value for name, value in one[1].items()} for one in answers]
    assert {one["authorization"] for one in headers} == {"Bearer minted-1"}
    assert not any("x-api-key" in one for one in headers)


async def test_a_token_that_ends_is_asked_for_anew(service):
    service.lives_s = 1
    assert await turns(federated(service), count=2) == ["hello", "hello"]
    paths = [one[0].split("?")[0] for one in service.seen]
    assert paths == ["/token", "/v1/oauth/token", "/v1/messages"] * 2


@pytest.mark.parametrize("status", [403, 500])
async def test_github_refuses_the_identity_token(service, status):
    service.identity_status = status
    with pytest.raises(CredentialError, match=f"no identity token .HTTP {status}") as refused:
        await turns(federated(service))
    assert "id-token: write" in refused.value.hint
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, CredentialError), (400, CredentialError), (503, TransientError)]
)
async def test_the_exchange_is_refused(service, status, kind):
    service.token_status = status
    with pytest.raises(kind, match=f"HTTP {status}") as refused:
        await turns(federated(service))
    assert "jwt" not in str(refused.value)


async def test_an_identity_token_from_a_file_is_read_anew_each_time(service, tmp_path):
    file = tmp_path / "token"
    file.write_text("from.a.file\n")
    env = {"ANTHROPIC_IDENTITY_TOKEN_FILE": str(file)}
    given = {"anthropic_federation_rule_id": "r", "anthropic_organization_id": "o"}
    access = ServiceAccess.read(env, given | {"anthropic_base_url": service.url})
    await turns(access)
    assert service.seen[0][2]["assertion"] == "from.a.file"
    file.unlink()
    with pytest.raises(CredentialError, match="cannot be read"):
        await turns(access)


BEDROCK = "us.anthropic.claude-opus-4-6-v1"


def bedrock(service, **more):
    env = {"AWS_REGION": "eu-west-1", "ANTHROPIC_BEDROCK_BASE_URL": service.url} | more
    return ServiceAccess.read(env, {"provider": "bedrock"})


async def test_bedrock_is_signed_and_streams(service, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    assert await turns(bedrock(service), model=BEDROCK, count=2) == ["hello", "hello"]
    path, headers, body = service.last
    assert path == f"/model/{BEDROCK}/invoke-with-response-stream"
    signed = headers["authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/bedrock/aws4_request" in signed
    assert headers["x-amz-security-token"] == "session-token"
    assert "aws-secret" not in json.dumps([one[1] for one in service.seen])
    assert "model" not in body
    # Nothing that only some of its models have, and the cache's breakpoint where the conversation ends.
    assert not {"cache_control", "thinking", "output_config"} & set(body)
    assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    assert sum("cache_control" in block for one in body["messages"] for block in one["content"]) == 1


async def test_bedrock_with_a_bearer_token(service):
    await turns(bedrock(service, AWS_BEARER_TOKEN_BEDROCK="bearer-secret"), model=BEDROCK)
    assert service.last[1]["authorization"] == "Bearer bearer-secret"


async def test_bedrock_without_credentials_is_said_before_anything_is_sent(service):
    with pytest.raises(CredentialError, match="AWS's credentials are missing") as refused:
        make_client(bedrock(service))
    assert "configure-aws-credentials" in refused.value.hint
    assert service.seen == []


async def test_a_model_nobody_knows_is_an_error_before_the_first_request(service):
    access = bedrock(service, AWS_BEARER_TOKEN_BEDROCK="bearer-secret")
    client = make_client(access)
    config = LoopConfig(model="us.acme.thing-1", prices={"us.acme.thing-1": (1, 2)})
    with pytest.raises(ModelError, match="How many tokens fit"):
        await ModelService(client, config, provider=access.provider).facts()
    await client.close()


async def test_the_claude_platform_on_aws(service, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    env = {
        "AWS_REGION": "us-east-1",
        "ANTHROPIC_AWS_WORKSPACE_ID": "wrkspc_1",
        "ANTHROPIC_AWS_BASE_URL": service.url,
    }
    assert await turns(ServiceAccess.read(env, {"provider": "aws"})) == ["hello"]
    path, headers, _ = service.last
    assert path.startswith("/v1/messages")
    assert "/us-east-1/aws-external-anthropic/" in headers["authorization"]
    assert headers["anthropic-workspace-id"] == "wrkspc_1"


async def test_vertex_by_the_files_google_signs_in_with(service, tmp_path, monkeypatch):
    file = tmp_path / "creds.json"
    written = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{service.url}/v1/oauth/token",
        "credential_source": {"file": str(tmp_path / "subject")},
    }
    file.write_text(json.dumps(written))
    env = {"CLOUD_ML_REGION": "europe-west1", "ANTHROPIC_VERTEX_PROJECT_ID": "my-project"}
    env |= {"ANTHROPIC_VERTEX_BASE_URL": service.url, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    access = ServiceAccess.read(env, {"provider": "vertex"})
    client = make_client(access)
    # The token itself is Google's library's to fetch; the request's shape is what is ours.
    client.credentials = type("Known", (), {"expired": False, "token": "google-secret"})()
    asked = ModelService(client, LoopConfig(), provider=access.provider)
    talk = Conversation(asked, await asked.facts(), system="x", tools=[], seconds_left=lambda: 30.0)
    talk.say("hello?")
    assert (await talk.turn()).text == "hello"
    await client.close()
    path, headers, body = service.last
    assert path.startswith(
        "/projects/my-project/locations/europe-west1/publishers/anthropic/models/claude-opus-5-5:stream"
    )
    assert headers["authorization"] == "Bearer google-secret"
    assert "cache_control" not in body


async def test_vertex_without_credentials(service):
    env = {"CLOUD_ML_REGION": "global", "ANTHROPIC_VERTEX_PROJECT_ID": "p"}
    with pytest.raises(CredentialError, match="Google Cloud's credentials are missing"):
        make_client(ServiceAccess.read(env, {"provider": "vertex"}))


async def test_foundry(service):
    env = {
        "ANTHROPIC_FOUNDRY_API_KEY": "azure-secret",
        "ANTHROPIC_FOUNDRY_BASE_URL": f"{service.url}/anthropic",
    }
    assert await turns(ServiceAccess.read(env, {"provider": "foundry"})) == ["hello"]
    path, headers, _ = service.last
    assert path.startswith("/anthropic/v1/messages")
    assert "azure-secret" in json.dumps(headers)


def test_a_library_that_is_not_there_is_named(monkeypatch):
    for name in ("boto3", "botocore"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CredentialError, match="library that is not installed") as refused:
        make_client(ServiceAccess.read({"AWS_REGION": "x"}, {"provider": "bedrock"}))
    assert "autonomous-loop[cloud]" in refused.value.hint


def test_importing_the_agents_imports_no_cloud():
    program = (
        "import sys, autonomous_loop.agent.factory as _; print({'boto3', 'google.auth'} & {*sys.modules})"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"set()\n"
    )


def test_no_error_of_an_exchange_repeats_the_services_words():
    error = WorkloadIdentityError("echo of the.github.jwt", status_code=401, body="the.github.jwt")
    assert "jwt" not in str(translate(error, model="x"))
