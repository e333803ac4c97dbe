"""One embedded GitHub that clients of other people meet: over HTTP, and over TLS with a CA of its own."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
import uvicorn

from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.models import Actor
from embedded_github.server import LocalServer

REPO, OWNER = "octo/guestbook", Actor("octo")
WORKFLOW = """
name: Loop
on:
  workflow_dispatch:
    inputs: {issue: {required: false, type: string}}
jobs:
  session:
    runs-on: ubuntu-latest
    steps:
      - run: echo "issue=${{ inputs.issue }}"
"""


class TlsServer(LocalServer):
    """The same application once more, over TLS: what speaks to an Enterprise server speaks nothing else."""

    def __init__(self, app, certificate: Path) -> None:
        super().__init__(app)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, access_log=False,
                ssl_certfile=certificate,
            )
        )  # fmt: skip
        self._thread = threading.Thread(target=self._serve, name="serve-tls", daemon=True)

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")


@dataclass
class Desk:
    """What a client needs, and what a test looks at.

    Attributes:
        url: over HTTP.
        host: `host:port` over TLS.
        authority: the file of the CA.
        token: octo's, who owns the repository.
    """

    github: EmbeddedGitHub
    url: str
    host: str
    authority: Path
    token: str
    folder: Path

    def settle(self) -> None:
        assert self.github.player.wait_idle(60)


@pytest.fixture
def desk(tmp_path):
    source = tmp_path / "source"
    (source / ".github" / "workflows").mkdir(parents=True)
    (source / "README.md").write_text("# Guestbook\n")
    (source / ".github" / "workflows" / "loop.yml").write_text(WORKFLOW)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    apps = []

    def wrap(app):
        apps.append(app)
        return app

    github = EmbeddedGitHub(
        tmp_path / "github",
        entrypoint=lambda action, stage: None,
        action_sources={},
        secrets={},
        extra_env={},
        path=os.environ["PATH"],
        wrap=wrap,
    )
    with github, TlsServer(apps[0], tmp_path / "own.pem") as tls:
        store = github.store
        store.create_repository(REPO, from_folder=source)
        store.issues.create(REPO, "Replies", "Visitors can reply.", OWNER)
        git = store.git(REPO)
        main = git.branch("main")
        made = git.commit_tree(git.empty_tree(), [main], "work", git.commit(main).author)
        git.update_ref("refs/heads/loop/pr", made)
        store.pulls.create(
            REPO, title="Add replies", body="Closes #1", head="loop/pr", base="main", actor=OWNER
        )
        host = tls.url.removeprefix("https://")
        yield Desk(github, github.url, host, tmp_path / "ca.pem", store.create_token("octo"), tmp_path)
