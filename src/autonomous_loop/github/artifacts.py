"""Uploads artifacts from inside a job by the v4 protocol, and reads them over REST by run, id and digest."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_exponential

from autonomous_loop.errors import ForgeError
from autonomous_loop.github.action import RunFacts
from autonomous_loop.github.actions_service import Backend
from autonomous_loop.github.archive import MOST_BYTES, ArchiveError, pack, unpack

_SERVICE: Final = "/twirp/github.actions.results.api.v1.ArtifactService/"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(r"sig=[^&\s\"']+")
_VERSION: Final = 7
_TRIES: Final = 5
_CONNECT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class UploadedArtifact:
    """One uploaded artifact.

    Attributes:
        digest: `sha256:` and the hexadecimal digest of its zip.
        size: size of its zip in bytes.
    """

    id: int
    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class FoundArtifact:
    """One artifact of a run, as REST describes it; `url` returns its zip."""

    id: int
    name: str
    digest: str
    size: int
    run_id: int
    url: str


class ArtifactClient:
    """Uploads for the running job, and reads artifacts from runs of this repository's workflow.

    Args:
        facts: facts of this run.
        token: the job's token, for reading.
        pause_s: seconds before the first retry; doubled each time.
        most_s: maximum seconds that a request waits, and after which no retry begins.
    """

    def __init__(self, facts: RunFacts, token: str, *, pause_s: float = 1.0, most_s: float = 60.0) -> None:
        self._facts = facts
        self._pause_s = pause_s
        self._most_s = most_s
        # Follow no redirects, because a blob host must never see the token.
        _hide_signatures()
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(most_s, connect=min(_CONNECT_S, most_s)),
            follow_redirects=False,
            trust_env=False,
        )
        self._rest = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    # -- writing

    def if_there(self) -> Self | None:
        """Return this client if the job has an artifact service; `run:` steps and old servers have none."""
        return self if self._facts.results_url and self._facts.runtime_token else None

    def upload(self, name: str, files: Mapping[str, bytes]) -> UploadedArtifact:
        """Upload files as one artifact of this run. The caller must redact them.

        Args:
            name: unique in the run, all its attempts included; repeating an upload finds the first one.
            files: by path in the zip.

        Raises:
            ConfigurationError: this job cannot store artifacts.
            ForgeError: refused, or no answer after retries; the message contains neither address nor token.
        """
        backend = Backend.of(self._facts)
        if not _NAME.fullmatch(name):
            raise ForgeError(f"{name[:80]!r} cannot be the name of an artifact.")
        try:
            data = pack(files)
        except ArchiveError as error:
            raise ForgeError(f"The artifact {name} cannot be packed: {error}.") from None
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = {"name": name, "version": _VERSION, "mime_type": "application/zip"}
        made = self._call(backend, "CreateArtifact", begun, allowed=frozenset({409}))
        if made is None:
            # The name is taken, by an earlier upload of ours whose answer was lost or by something else.
            return self._uploaded(backend, name, digest, len(data))
        self._put(str(_field(made, "signed_upload_url") or ""), data)
        finished = {"name": name, "size": str(len(data)), "hash": digest}
        done = self._call(backend, "FinalizeArtifact", finished, allowed=frozenset({404, 409}))
        number = str(_field(done or {}, "artifact_id") or "")
        if not number.isdecimal():
            return self._uploaded(backend, name, digest, len(data))
        return UploadedArtifact(int(number), name, digest, len(data))

    def _uploaded(self, backend: Backend, name: str, digest: str, size: int) -> UploadedArtifact:
        listed = _field(self._call(backend, "ListArtifacts", {"name_filter": name}) or {}, "artifacts")
        for one in listed if isinstance(listed, list) else []:
            number = str(_field(one, "database_id") or "")
            if _field(one, "name") == name and _field(one, "digest") == digest and number.isdecimal():
                return UploadedArtifact(int(number), name, digest, size)
        raise ForgeError(
            f"This run has another artifact {name}, and artifacts are not overwritten.",
            status=409,
            hint="run the job anew instead of using names of the loop's own for other uploads.",
        )

    def _call(
        self,
        backend: Backend,
        method: str,
        fields: Mapping[str, object],
        *,
        allowed: frozenset[int] = frozenset(),
    ) -> Mapping[str, Any] | None:
        """Call the service once; return None for a status in `allowed`."""
        ids = {"workflow_run_backend_id": backend.run, "workflow_job_run_backend_id": backend.job}
        answer = self._send(
            f"{method} of the artifact service",
            httpx2.Request(
                "POST",
                f"{backend.origin}{_SERVICE}{method}",
                json={**ids, **fields},
                headers={"Authorization": f"Bearer {backend.token}"},
            ),
            allowed=allowed,
        )
        return None if answer.status_code in allowed else _object(answer)

    def _put(self, url: str, data: bytes) -> None:
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/zip"}
        doing = "storing the artifact's zip"
        self._send(doing, _request(doing, "PUT", url, content=data, headers=headers))

    # -- reading

    def find(self, run_id: int, name: str) -> FoundArtifact | None:
        """Find the artifact in exactly this run, if the run is of this repository and the same workflow.

        A name alone proves nothing, because any run, also a fork's, can upload the same name.

        Raises:
            ForgeError: GitHub refused, or did not answer.
        """
        facts = self._facts
        run = self._get(f"/actions/runs/{run_id}", "reading the run of the handoff")
        path = str((run or {}).get("path") or "").partition("@")[0]
        home = str(((run or {}).get("repository") or {}).get("full_name") or "")
        if home.lower() != facts.repository.lower() or not path or path != facts.workflow_path:
            return None
        listed = self._get(
            f"/actions/runs/{run_id}/artifacts?name={quote(name, safe='')}", "listing the run's artifacts"
        )
        for one in (listed or {}).get("artifacts", []):
            of_run, digest = one.get("workflow_run") or {}, str(one.get("digest") or "")
            if (one.get("name"), of_run.get("id"), one.get("expired")) == (name, run_id, False):
                url = f"{facts.api_url}/repos/{facts.repository}/actions/artifacts/{int(one['id'])}/zip"
                size = int(one["size_in_bytes"])
                return FoundArtifact(int(one["id"]), name, digest, size, run_id, url)
        return None

    def download(self, found: FoundArtifact, *, most_bytes: int = MOST_BYTES) -> dict[str, bytes]:
        """Return its files, after checking the digest.

        Raises:
            ForgeError: refused, no answer, too large, damaged, or a digest other than GitHub's.
        """
        doing = f"downloading the artifact {found.name}"
        answer = self._send(
            doing, httpx2.Request("GET", found.url, headers=self._rest), allowed=frozenset({302})
        )
        # Send a separate request without the token, because the address is signed.
        blob = self._send(
            doing, _request(doing, "GET", answer.headers.get("location", "")), most_bytes=most_bytes
        )
        digest = f"sha256:{hashlib.sha256(blob.content).hexdigest()}"
        if not _DIGEST.fullmatch(found.digest) or digest != found.digest:
            raise ForgeError(f"The artifact {found.name} ({found.id}) is not what GitHub has the digest of.")
        try:
            return unpack(blob.content, most_bytes=most_bytes)
        except ArchiveError as error:
            raise ForgeError(f"The artifact {found.name} ({found.id}) cannot be read: {error}.") from None

    def _get(self, path: str, doing: str) -> Mapping[str, Any] | None:
        url = f"{self._facts.api_url}/repos/{self._facts.repository}{path}"
        gone = frozenset({404, 410})
        answer = self._send(doing, httpx2.Request("GET", url, headers=self._rest), allowed=gone)
        return None if answer.status_code in gone else _object(answer)

    # -- one request

    def _send(
        self,
        doing: str,
        request: httpx2.Request,
        *,
        allowed: frozenset[int] = frozenset(),
        most_bytes: int = MOST_BYTES,
    ) -> httpx2.Response:
        """Send a request until it is answered, with retries on 429, 5xx and lost connections.

        Raises:
            ForgeError: refused, or the last failure. The message contains no address and no header.
        """

        def once() -> httpx2.Response:
            try:
                answer = self._http.send(request, stream=True)
                with closing(answer):
                    return _read(answer, doing, allowed, most_bytes)
            except httpx2.HTTPError as error:
                raise UnansweredError(doing, type(error).__name__) from None

        retrying = Retrying(
            retry=retry_if_exception_type(UnansweredError),
            stop=stop_after_attempt(_TRIES) | stop_after_delay(self._most_s),
            wait=self._wait,
            reraise=True,
        )
        return retrying(once)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after_s if isinstance(error, UnansweredError) else 0.0
        # Never sleep long on a paid runner.
        return min(max(asked, wait_exponential(multiplier=self._pause_s)(state)), self._most_s / 2)


class _WithoutSignatures(logging.Filter):
    """Masks signatures in log lines. The client logs whole addresses, and a signed one grants access."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record and let it pass."""
        said = record.getMessage()
        if "sig=" in said:
            record.msg, record.args = _SIGNATURE.sub("sig=***", said), ()
        return True


_HIDDEN: Final = _WithoutSignatures()


def _hide_signatures() -> None:
    for name in ("httpx2", "httpcore2.http11", "httpcore2.http2", "httpcore2.connection"):
        logging.getLogger(name).addFilter(_HIDDEN)  # adding the same filter twice has no effect


class UnansweredError(ForgeError):
    """GitHub gave no usable answer; the fault may pass by itself."""

    def __init__(self, doing: str, why: str, *, status: int = 0, after_s: float = 0.0) -> None:
        super().__init__(
            f"GitHub did not answer while {doing} ({why}).",
            status=status,
            hint="this passes by itself as a rule: run the job again.",
        )
        self.after_s = after_s


def _read(answer: httpx2.Response, doing: str, allowed: frozenset[int], most_bytes: int) -> httpx2.Response:
    """Read the whole answer up to the limit, and raise its refusals as errors."""
    status, data = answer.status_code, bytearray()
    for part in answer.iter_bytes():
        data += part
        if len(data) > most_bytes:
            raise ForgeError(f"GitHub sent more than {most_bytes} bytes while {doing}.")
    if status == 429 or status >= 500:
        after = answer.headers.get("retry-after", "")
        after_s = float(after) if after.isdecimal() else 0.0
        raise UnansweredError(doing, f"HTTP {status}", status=status, after_s=after_s)
    if status not in allowed and not 200 <= status < 300:
        raise ForgeError(
            f"GitHub refused {doing}: {_said(bytes(data))} (HTTP {status}).",
            status=status,
            hint="give the job the permission `actions: write`." if status == 403 else "",
        )
    headers = {name: answer.headers[name] for name in ("location",) if name in answer.headers}
    return httpx2.Response(status, headers=headers, content=bytes(data))


def _request(doing: str, method: str, url: str, **more: Any) -> httpx2.Request:  # noqa: ANN401 - httpx2's own
    """Build a request to a signed address from an answer; no error message repeats the address."""
    try:
        made = httpx2.Request(method, url, **more)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError):
        made = None
    if made is None or made.url.scheme not in {"http", "https"} or not made.url.host:
        raise ForgeError(f"GitHub gave no usable address while {doing}.")
    return made


def _said(body: bytes) -> str:
    """Return the service's own words; never a blob store's, because those repeat the signed address."""
    try:
        answer = json.loads(body)
    except ValueError:
        return "no reason given"
    said = (answer.get("msg") or answer.get("message")) if isinstance(answer, dict) else None
    return str(said or "no reason given")[:300]


def _object(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ForgeError("GitHub answered something that is no JSON object.", status=answer.status_code)
    return found


def _field(answer: object, name: str) -> object:
    """Return a field by its name in snake_case or camelCase, since protobuf services use either."""
    if not isinstance(answer, Mapping):
        return None
    first, *rest = name.split("_")
    camel = first + "".join(part.capitalize() for part in rest)
    return answer.get(name, answer.get(camel))
