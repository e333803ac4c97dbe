"""Runs of a workflow on the embedded GitHub, and clients as their jobs would have them."""

from __future__ import annotations

from dataclasses import dataclass

from autonomous_loop.github.action import RunFacts
from autonomous_loop.github.artifacts import ArtifactClient
from integration.embedded_github.forge_world import ALL

PATH = ".github/workflows/loop.yml"
REPO = "octo/guestbook"


@dataclass
class Run:
    """One run and a client inside its job."""

    id: int
    facts: RunFacts
    client: ArtifactClient


class Jobs:
    """Makes runs of the world's workflow; the job of each is taken to be live."""

    def __init__(self, world) -> None:
        self.world = world
        self.token = world.store.mint_token(REPO, ALL, 1)
        self._made: list[ArtifactClient] = []

    def run(self, *, path: str = PATH, attempt: int = 1, workflow: str = "loop.yml", of: int = 0) -> Run:
        """A run, or (`of`) one more attempt of it."""
        player = self.world.player
        run_id = of or player.dispatch(REPO, workflow, "main", {}, actor="octo").id
        assert player.wait_idle(30)
        runtime = player.artifacts.mint_token(REPO, run_id, 1_000 + run_id)
        facts = RunFacts(
            repository=REPO,
            run_id=run_id,
            run_attempt=attempt,
            event_name="workflow_dispatch",
            actor="octo",
            triggering_actor="octo",
            workflow_path=path,
            job="session",
            ref="refs/heads/main",
            sha="",
            default_branch="main",
            event={},
            api_url=f"{self.world.url}/api/v3",
            server_url=self.world.url,
            results_url=f"{self.world.url}/",
            runtime_token=runtime,
        )
        return Run(run_id, facts, self.client(facts))

    def client(self, facts: RunFacts, token: str = "") -> ArtifactClient:
        made = ArtifactClient(facts, token or self.token, pause_s=0.01, most_s=5)
        self._made.append(made)
        return made

    def close(self) -> None:
        for one in self._made:
            one.close()
