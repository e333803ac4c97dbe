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
        max_sessions: sessions (CI jobs) a loop may take.
        token_budget: input, cache writes and output, compaction's included; None has no limit.
        max_usd: estimated US dollars for the whole loop.
        max_usd_ceiling: up to where `/loop budget N` may set the money of a running loop; None: up to
            `max-usd`, so that a comment can lower it, and take that back, but never raise it.
        max_minutes: runner minutes over all sessions; None has no limit.
        session_minutes: after this a session hands off.
        session_features: features a session may keep before it hands off; None has no limit.
        max_features: features a request may become.
        max_attempts: attempts at one feature before it is blocked.
        max_submissions: refused submissions before an attempt is rolled back.
        max_turns: answers of the model in one attempt.
        auto_checkpoint: a checkpoint for every feature; False: only at the end of a session.
        model: of the Messages API.
        effort: how much the model thinks.
        prices: US dollars per million tokens by model, over the price library's.
        context_threshold: share of the model's context from which a conversation is compacted.
        max_compactions: compactions in one conversation before it is handed off instead.
        setup: command that prepares a fresh clone, run as hands.
        test_command: runs tests; the submitted ones are appended. Empty: the project's own script,
            or what is detected; the model's where a run shows more by it.
        e2e_command: runs browser tests; the submitted ones are appended. Empty: they run as other tests do.
        suite_command: the whole suite; empty: the test commands without arguments.
        gates: the project's own format, lint, type and build commands; one that fails on the untouched code
            is left out.
        detect_gates: where no gates are given, those the project's files speak of.
        regression: when the whole suite runs: for each feature, at the end of a session, or only before the
            pull request is ready. The later, the cheaper; what broke is then found by bisection.
        junit_reports: shell patterns of the JUnit XML a command leaves (`target/surefire-reports/*.xml`),
            for commands whose runner is not known. Such a command runs whole, unless it says where tests
            go: `{tests}` stands for files, `{classes}` for Java's class names (`mvn test -Dtest={classes}`);
            the word is left out for the whole suite.
        accept_exit_code: accept a runner that shows no counts.
        command_timeout_s: for one command of the model.
        test_timeout_s: for one run of tests.
        max_output: bytes of a command's output the model is shown.
        max_file_bytes: a larger file is not taken.
        base_branch: where the pull request goes; empty: the default branch.
        branch_prefix: a loop's branches stand under `<prefix>/<loop>/`.
        keep_checkpoints: how many checkpoint branches are kept.
        publish: when the pull request's branch moves.
        continuation: how the next session starts.
        handoff_store: where the handoff lies between two sessions on GitHub: in the sticky comment, or in an
            artifact of the session's run.
        upload_transcripts: whether the evidence of a session, an artifact of its run, holds what was said
            with the model: never, only from private repositories, or always.
        plan_approval: the first session posts the feature list with an estimate and waits for `/loop go`;
            without a forge, running again is the go.
        allow_unsigned: continue from a handoff nobody could sign.
        label: the label that starts a loop.
        allowed_bots: bots that may start one, by exact login.
        protected_paths: more paths the model may not change (git wildmatch).
        runner_keys: accept changes of the test runner's own configuration.
        removed_tests: `prove` accepts that older tests are gone: the proof is marked and names them. A loop
            never lets its model remove tests.
        max_usd_per_day: estimated US dollars that all loops of the repository may spend in one UTC day;
            beyond it nothing starts or goes on until the next.
        max_open_loops: loops of the repository open at once; further issues wait for one to end.
        keep_days: days after its pull request was closed for which a loop's branches stay.
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
