"""Every limit and choice of a loop, validated; the same fields everywhere they can be given."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from autonomous_loop.domain.budget import Limits
from autonomous_loop.errors import ConfigurationError

CONFIG_FILE = ".github/autonomous-loop.toml"
PYPROJECT_TABLE = "tool.autonomous-loop"


class ContinuationMode(StrEnum):
    """How the next session starts."""

    AUTO = "auto"
    MANUAL = "manual"
    SCHEDULED = "scheduled"
    EVENT = "event"


class LoopConfig(BaseModel):
    """The configuration of a loop.

    In TOML and as action inputs the names are written with hyphens (`max-sessions`). Read once, from the
    base commit; keys, tokens and addresses are never part of it.

    Attributes:
        max_sessions: maximum number of sessions (CI jobs) in one loop.
        token_budget: maximum tokens for the whole loop. Input, cache writes and output count, also those of
            compaction; cache reads do not. Default: no limit.
        max_usd: maximum estimated cost of the whole loop in US dollars.
        max_usd_ceiling: maximum for `/loop budget N`. Default: `max-usd`, so comments can lower the budget
            but not raise it.
        max_minutes: maximum runner minutes over all sessions of the loop. Default: no limit.
        session_minutes: minutes after which a session hands off to the next one.
        session_features: number of proved features after which a session hands off. Default: no limit.
        max_features: maximum number of features in one loop.
        max_attempts: maximum attempts at one feature. After that, the feature is blocked.
        max_submissions: number of refused submissions after which an attempt is rolled back.
        max_turns: maximum number of the model's answers in one attempt.
        auto_checkpoint: push a checkpoint after every feature. If false, push only at the end of a session.
        model: Claude model to use.
        effort: how much the model thinks.
        prices: US dollars per million input and output tokens, by model. These override the built-in
            prices.
        context_threshold: share of the model's context window at which a conversation is compacted.
        max_compactions: maximum compactions of one conversation. After that, the session hands off.
        setup: command that prepares a fresh clone. It runs in the sandbox.
        test_command: command that runs tests. The loop appends the submitted test files. If empty, the loop
            uses the project's own script or detects a command. It takes the model's command if a run shows
            more with it.
        e2e_command: command that runs browser tests. The loop appends the submitted test files. If empty,
            browser tests run like all other tests.
        suite_command: command that runs the whole suite. If empty, the test commands run without arguments.
        gates: the project's own format, lint, type and build commands. A command that fails on the
            untouched code is left out.
        detect_gates: detect the gates from the project's files if `gates` is empty.
        regression: when to run the whole suite: for each feature, at the end of a session, or only before
            the pull request is ready (end). A later run costs less; the loop then finds the feature that
            broke something by bisection.
        junit_reports: shell patterns of the JUnit XML files that a command writes
            (`target/surefire-reports/*.xml`). Use them for a test runner that the loop does not know. Such
            a command always runs whole, unless it has a placeholder: `{tests}` stands for files,
            `{classes}` for Java class names (`mvn test -Dtest={classes}`). For the whole suite, the loop
            leaves that word out.
        accept_exit_code: accept the exit code of a test runner that reports no counts.
        command_timeout_s: maximum seconds for one command of the model.
        test_timeout_s: maximum seconds for one run of tests.
        max_output: maximum bytes of a command's output that the model sees.
        max_file_bytes: maximum bytes of one file. Larger files are rejected.
        base_branch: branch that the pull request goes to. Default: the repository's default branch.
        branch_prefix: prefix of a loop's branches, which are named `<prefix>/<loop>/...`.
        keep_checkpoints: number of checkpoint branches to keep.
        publish: when to update the pull request's branch.
        continuation: how the next session starts.
        handoff_store: where to keep the handoff between two sessions on GitHub: in the sticky comment or in
            an artifact of the session's run.
        upload_transcripts: when a session's evidence artifact includes the conversations with the model:
            never, only in private repositories, or always.
        plan_approval: post the feature list with an estimate first, and wait for `/loop go`. Without
            GitHub, run the command again to approve the list.
        allow_unsigned: start the next session even if the handoff is not signed.
        label: label that starts a loop.
        allowed_bots: bots that may start a loop, by exact login.
        protected_paths: more paths that the model may not change (git wildmatch patterns).
        runner_keys: accept changes to the test runner's own configuration.
        removed_tests: let `prove` accept that older tests are gone. The proof is marked and names them. In
            a loop, the model may never remove tests.
        max_usd_per_day: maximum estimated US dollars that all loops of the repository may spend in one UTC
            day. After that, no session starts until the next day.
        max_open_loops: maximum number of open loops in the repository. Further issues wait until one ends.
        keep_days: days to keep a loop's branches after its pull request is closed.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
        # JSON, in which the journal is written, has no word for either.
        allow_inf_nan=False,
    )

    max_sessions: int = Field(default=10, ge=1, le=500)
    token_budget: int | None = Field(default=None, ge=1_000)
    max_usd: float = Field(default=10.0, gt=0)
    max_usd_ceiling: float | None = Field(default=None, gt=0)
    max_minutes: float | None = Field(default=None, gt=0)
    session_minutes: float = Field(default=50.0, gt=0, le=7_200)
    session_features: int | None = Field(default=None, ge=1)
    max_features: int = Field(default=15, ge=1, le=500)
    max_attempts: int = Field(default=3, ge=1, le=20)
    max_submissions: int = Field(default=3, ge=1, le=20)
    max_turns: int = Field(default=150, ge=1, le=5_000)
    auto_checkpoint: bool = True
    model: str = Field(default="claude-opus-5-5", min_length=1)
    effort: Literal["low", "medium", "high", "xhigh", "max"] = "high"
    prices: dict[str, tuple[float, float]] = Field(default_factory=dict)
    context_threshold: float = Field(default=0.6, gt=0.05, lt=0.95)
    max_compactions: int = Field(default=2, ge=0)
    setup: str = ""
    test_command: str = ""
    e2e_command: str = ""
    suite_command: str = ""
    gates: tuple[str, ...] = ()
    detect_gates: bool = True
    regression: Literal["feature", "session", "end"] = "feature"
    junit_reports: tuple[str, ...] = ()
    accept_exit_code: bool = False
    command_timeout_s: float = Field(default=600.0, gt=0)
    test_timeout_s: float = Field(default=1_200.0, gt=0)
    max_output: int = Field(default=30_000, ge=1_000, le=200_000)
    max_file_bytes: int = Field(default=5_000_000, ge=1_000)
    base_branch: str = ""
    branch_prefix: str = Field(default="autonomous-loop", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")
    keep_checkpoints: int = Field(default=3, ge=1)
    publish: Literal["session", "feature"] = "session"
    continuation: ContinuationMode = ContinuationMode.AUTO
    handoff_store: Literal["comment", "artifact"] = "comment"
    upload_transcripts: Literal["never", "private", "always"] = "private"
    plan_approval: bool = False
    allow_unsigned: bool = False
    label: str = Field(default="autonomous-loop", min_length=1, max_length=50)
    allowed_bots: tuple[str, ...] = ()
    protected_paths: tuple[str, ...] = ()
    runner_keys: bool = False
    removed_tests: bool = False
    max_usd_per_day: float = Field(default=30.0, gt=0)
    max_open_loops: int = Field(default=3, ge=1, le=1_000)
    keep_days: int = Field(default=14, ge=1, le=3_650)

    @field_validator("gates", "junit_reports", "allowed_bots", "protected_paths", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """An action input is one string: a list is given as lines."""
        if isinstance(value, str):
            return tuple(line.strip() for line in value.splitlines() if line.strip())
        return value

    @property
    def limits(self) -> Limits:
        """The loop's budget, as it is written into the journal."""
        return Limits(
            sessions=self.max_sessions, tokens=self.token_budget, usd=self.max_usd, minutes=self.max_minutes
        )

    @property
    def ceiling_usd(self) -> float:
        """The most that `/loop budget` may set."""
        return max(self.max_usd, self.max_usd_ceiling or 0.0)

    def limits_with(self, budget_usd: float | None) -> Limits:
        """The budget where a person set another sum (`/loop budget`), as far as the ceiling allows it now."""
        return self.limits if budget_usd is None else self.limits.with_usd(min(budget_usd, self.ceiling_usd))

    @property
    def hash(self) -> str:
        """SHA-256 of all values: the loop is bound to what it was started with."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def read(cls, data: Mapping[str, Any], *, source: str) -> Self:
        """A validated configuration.

        Args:
            data: names with hyphens or underscores.
            source: where it came from, for the message.

        Raises:
            ConfigurationError: an unknown key or a value out of range, with the place and what is allowed.
        """
        names = {key.replace("-", "_"): value for key, value in data.items()}
        unknown = sorted(set(names) - set(cls.model_fields))
        if unknown:
            raise ConfigurationError(
                f"{source} has {'an unknown key' if len(unknown) == 1 else 'unknown keys'}: "
                + ", ".join(key.replace("_", "-") for key in unknown),
                hint=_nearest(unknown[0], list(cls.model_fields)),
            )
        try:
            return cls.model_validate(names)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in fault["loc"]).replace("_", "-")
            raise ConfigurationError(
                f"{source}: {place}: {fault['msg']} (it is {fault['input']!r})",
                hint=f"mend {place} in {source}, or leave it out, and run again.",
            ) from None

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, overrides: Mapping[str, Any] | None = None) -> Self:
        """The project's own configuration, from files of its base commit.

        Args:
            files: by path; `.github/autonomous-loop.toml` wins over `[tool.autonomous-loop]` in
                `pyproject.toml`. Missing files are missing keys.
            overrides: action inputs or options of the command line.

        Raises:
            ConfigurationError: as in `read`; or a file that is not TOML.
        """
        data: dict[str, Any] = {}
        source = "the configuration"
        if CONFIG_FILE in files:
            data, source = _toml(files[CONFIG_FILE], CONFIG_FILE), CONFIG_FILE
        elif "pyproject.toml" in files:
            table = _toml(files["pyproject.toml"], "pyproject.toml").get("tool", {})
            data = table.get("autonomous-loop", {}) if isinstance(table, dict) else {}
            source = f"[{PYPROJECT_TABLE}] in pyproject.toml"
        made = cls.read(data, source=source)
        if not overrides:
            return made
        given = {key.replace("-", "_"): value for key, value in overrides.items()}
        return cls.read({**made.model_dump(), **given}, source="the inputs")


def _toml(data: bytes, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name} is not valid TOML: {error}") from None


def _nearest(key: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way out

    near = get_close_matches(key, known, n=1)
    said = f"did you mean {near[0].replace('_', '-')}? " if near else ""
    return said + "docs/configuration.md lists every key."
