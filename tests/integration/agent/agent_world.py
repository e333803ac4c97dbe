"""What the agent's tests share: a control that records, and the parts connected as compose does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anthropic

from autonomous_loop.agent.coder import CodingAgent
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.planner import PlanningAgent
from autonomous_loop.agent.retry_policy import RetryPolicy
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.decision import NextStep
from autonomous_loop.domain.feature import Feature, FeatureList
from autonomous_loop.domain.proof import Reason, Submission, Verdict
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import Task, Turn
from autonomous_loop.engine.ports import Sandbox
from embedded_github.server import LocalServer
from scripted_model.log import RequestLog
from scripted_model.script import Script
from scripted_model.server import create_app

KEY = "sk-ant-test-0123456789"
QUICK = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.5, stall_s=20.0)
ACCEPTED = Verdict(accepted=True)
FEATURE = Feature(id="greeting", description="The page greets the visitor.", steps=("Open the page.",))
REQUEST = Request(title="Be polite", body="Greet the visitor.\n```json\n{}\n```")
SUBMISSION = {"feature_id": "greeting", "tests": ["tests/test_greeting.py"], "summary": "It greets."}


def refused(*codes: str) -> Verdict:
    return Verdict(
        accepted=False, reasons=tuple(Reason(code=code, text=f"because of {code}") for code in codes)
    )


@dataclass
class RecordingControl:
    """The loop's side of a conversation: says what it is told to say, and notes what it is asked."""

    verdicts: list[Verdict] = field(default_factory=lambda: [ACCEPTED])
    steps: Callable[[Turn], NextStep] = lambda _: NextStep.GO_ON
    left_s: float = 60.0
    turns: list[Turn] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tried: list[FeatureList] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    async def after_turn(self, turn: Turn) -> NextStep:
        self.turns.append(turn)
        return self.steps(turn)

    async def submit(self, submission: Submission) -> Verdict:
        self.submissions.append(submission)
        return self.verdicts.pop(0)

    async def try_out(self, plan: FeatureList) -> str:
        self.tried.append(plan)
        return self.faults.pop(0) if self.faults else ""

    async def remember(self, note: str) -> None:
        self.notes.append(note)

    def progress(self, step: str) -> None:
        self.shown.append(step)

    def seconds_left(self) -> float:
        return self.left_s


class World:
    """The scripted model over HTTP, the real SDK, and agents on them."""

    def __init__(self, script: Mapping[str, Any], sandbox: Sandbox) -> None:
        self.log = RequestLog(bodies=True)
        app = create_app(Script.model_validate(script), api_keys=frozenset({KEY}), log=self.log)
        self.server = LocalServer(app)
        self.server.start()
        self.sandbox = sandbox
        self._clients: list[anthropic.AsyncAnthropic] = []

    def service(
        self, *, key: str | None = KEY, patience: RetryPolicy = QUICK, retries: int = 2, **config: Any
    ) -> ModelService:
        # The SDK's credentials stay out of the environment: what is tested is what is given here.
        client = anthropic.AsyncAnthropic(api_key=key, base_url=self.server.url, max_retries=retries)
        self._clients.append(client)
        return ModelService(client, LoopConfig(**config), patience=patience)

    def coder(self, *, patience: RetryPolicy = QUICK, retries: int = 2, **config: Any) -> CodingAgent:
        service = self.service(patience=patience, retries=retries, **config)
        return CodingAgent(service, LoopConfig(**config), self.sandbox)

    def planner(self, **config: Any) -> PlanningAgent:
        return PlanningAgent(self.service(**config), LoopConfig(**config), self.sandbox)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all requests for an answer that were not refused."""
        return [r.body for r in self.log.records if r.body is not None and r.status == 200]

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        self.server.stop()


def task(**more: Any) -> Task:
    return Task(**{"feature": FEATURE, "number": 1, "request": REQUEST, **more})


def coder_script(*turns: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"features": {"greeting": [{"turns": list(turns)}]}, **more}


def planner_script(*turns: Mapping[str, Any]) -> dict[str, Any]:
    return {"planner": [{"turns": list(turns)}]}


def bash(command: str) -> dict[str, Any]:
    return {"bash": {"command": command}}


def edit(command: str, path: str, **more: Any) -> dict[str, Any]:
    return {"str_replace_based_edit_tool": {"command": command, "path": path, **more}}


def submit(**more: Any) -> dict[str, Any]:
    return {"submit_feature": {**SUBMISSION, **more}}


def results(body: Mapping[str, Any]) -> Sequence[tuple[str, bool]]:
    """Text and error mark of the tool results in a request's last message."""
    return [
        (block["content"][0]["text"], block.get("is_error", False))
        for block in body["messages"][-1]["content"]
        if block["type"] == "tool_result"
    ]
