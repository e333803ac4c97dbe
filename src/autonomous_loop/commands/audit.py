"""Proves every feature of a loop again from a clean clone. Anyone can run it, without a key or a forge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from autonomous_loop.commands.audit_branches import Heads, refuse_without_proofs, standing
from autonomous_loop.domain.events import Event, Kept, Reopened, Revoked
from autonomous_loop.domain.feature import Feature, FeatureStatus
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.domain.proof import Baseline, Proof, Reason, Submission, Verdict
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.errors import JournalError, RepositoryError, UsageError
from autonomous_loop.git.command import GitError
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.loop_branches import LoopBranches, choose, loops_in
from autonomous_loop.git.repository import Repository
from autonomous_loop.report.audit import Audit, FeatureAudit, State
from autonomous_loop.report.receipt import counted
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import IDENTITY, SystemClock, configuration
from autonomous_loop.wiring.verification import (
    Taken,
    VerificationEnvironment,
    taken_from,
    verification_environment,
)

CONFIGURED = (
    "the loop's configuration was not the project's alone (inputs of the action, or --set): where it named"
    " commands, give them with --set"
)


async def audit(
    folder: Path,
    ref: str,
    runtime: RuntimeEnvironment,
    *,
    deep: bool,
    overrides: Mapping[str, str],
    say: Callable[[str], object],
) -> Audit:
    """Prove a loop's final tree again, and with `deep` the red and green of each feature.

    Args:
        folder: a git directory with the loop's branches, its own or remote-tracking ones; or the bundle that
            was kept when the loop was closed.
        ref: the loop's id or one of its branches; empty: the only loop there is.
        overrides: configuration keys that take precedence over the project's own.
        say: called at each step.

    Raises:
        UsageError: there is no such loop, more than one, no proof yet, or no sandbox.
        JournalError: the journal cannot be read.
    """
    with unbundled(folder, runtime) as directory, taken_from(directory, runtime) as taken:
        loop = choose(loops_in(taken.source), ref, taken.source)
        _bring(taken, loop)
        tracker = _tracker(taken.repository, loop, name="", keys=None)
        record = tracker.read()
        if record is None:
            raise UsageError(f"{loop.loop} has no journal that can be read", hint="name another branch.")
        heads = Heads.of(taken.repository, loop.branches)
        if not record.proofs or record.features is None:
            refuse_without_proofs(heads, record)
        assert record.features is not None
        chain, findings = _chain(taken.repository, loop, record, runtime)
        found = standing(taken.repository, loop.branches, heads, record, tracker.entries())
        commit, notes = found.commit, found.notes
        config = configuration(taken.repository, record.facts.base, overrides=overrides)
        if config.hash != record.facts.configuration_hash:
            notes += (CONFIGURED,)
        features = {one.feature: one for one in _stored(taken.repository, tracker, record)}
        async with verification_environment(
            taken,
            config,
            runtime,
            setup=record.features.setup,
            model_command=record.model_command,
        ) as ground:
            say(f"clean room: a fresh clone of {commit[:12]}, a fresh setup, every test")
            verdict = await ground.verifier.clean_room(
                commit, baseline=record.baseline or Baseline(), passing=record.proofs
            )
            for name, state in _states(verdict, record.proofs).items():
                features[name] = replace(features[name], verdict=state)
            if deep:
                for name, said in (await _replays(ground, record, tracker.events(), say)).items():
                    features[name] = replace(features[name], replay=said)
        redact = Redactor(runtime.secrets).text
        return Audit(
            loop=loop.loop,
            branches=loop.branches,
            commit=commit,
            features=tuple(features.values()),
            chain=chain,
            accepted=verdict.accepted,
            suite=counted(verdict.suite) if verdict.suite else "",
            pr=found.pr,
            findings=tuple(redact(one) for one in (*findings, *found.findings)),
            reasons=tuple(Reason(code=one.code, text=redact(one.text)) for one in verdict.reasons),
            notes=notes,
        )


@contextmanager
def unbundled(folder: Path, runtime: RuntimeEnvironment) -> Iterator[Path]:
    """Yield a git directory unchanged, or a repository with the branches of a bundle.

    Raises:
        UsageError: the file is no git bundle, or an incomplete one.
    """
    if not folder.is_file():
        yield folder
        return
    with TemporaryDirectory(prefix="autonomous-loop-", dir=runtime.temporary) as home:
        taken = Repository.create(
            Path(home), remote=str(folder.resolve()), identity=IDENTITY, path=runtime.path, auth={}
        )
        try:
            taken.git("fetch", "--quiet", "--no-tags", "--", taken.remote, "refs/heads/*:refs/heads/*")
            yield taken.git.git_dir
        except GitError as error:
            raise UsageError(
                f"{folder} is no git bundle that can be read: {error.message}",
                hint="give the file LOOP.bundle out of the artifact LOOP-journal (unzip it first).",
            ) from None
        finally:
            taken.close()


def _bring(taken: Taken, loop: LoopBranches) -> None:
    if taken.source.shallow:
        raise RepositoryError(
            "this clone is shallow: the loop's history is not all here",
            hint="in CI, `fetch-depth: 0` of actions/checkout; elsewhere `git fetch --unshallow`.",
        )
    taken.source.bring(taken.repository, [f"{loop.place}{loop.branches}/*:refs/heads/{loop.branches}/*"])


def _tracker(repository: Repository, loop: LoopBranches, *, name: str, keys: Keyring | None) -> StateTracker:
    return StateTracker(
        repository, branches=loop.branches, name=name, loop=loop.loop, keys=keys, clock=SystemClock()
    )


# --- the record -------------------------------------------------------------------------------------------


def _chain(
    repository: Repository, loop: LoopBranches, record: LoopRecord, runtime: RuntimeEnvironment
) -> tuple[str, tuple[str, ...]]:
    """Check that the journal is the loop's own, as far as the keys here allow."""
    name = record.facts.repository
    keys = Keyring.derive(runtime.key_materials, repository=name, loop=record.facts.loop)
    unsigned = Keyring(())
    if unsigned.knows(record.last_mac):
        keys = unsigned
    if not keys.knows(record.last_mac):
        return "not verified: that needs the key it was signed with", ()
    try:
        _tracker(repository, loop, name=name, keys=keys).read()
    except JournalError as error:
        return "broken", (error.message,)
    return ("verified" if keys.signed else "whole, but unsigned: that guards against accidents only"), ()


def _stored(repository: Repository, tracker: StateTracker, record: LoopRecord) -> Sequence[FeatureAudit]:
    """Return every feature with what its stored proof says about itself."""
    assert record.features is not None
    made = []
    for feature in record.features.features:
        proof = record.proofs.get(feature.id)
        passes = record.status.get(feature.id) is FeatureStatus.PASSING
        if proof is None or not passes:
            made.append(FeatureAudit(feature.id, feature.kind.value, 0, "no proof"))
            continue
        made.append(
            FeatureAudit(
                feature=feature.id,
                kind=proof.kind.value,
                tests=len(proof.green.passed) if proof.green else 0,
                verdict="not shown",
                marks=proof.marks,
                findings=tuple(_faults(repository, tracker, feature, proof)),
            )
        )
    return made


def _faults(repository: Repository, tracker: StateTracker, feature: Feature, proof: Proof) -> list[str]:
    found = []
    path = f"proofs/{feature.id}.json"
    data = tracker.read_file(path)
    try:
        # Events hold a brief proof and the digest of its file, which also has the output and the suite's ids.
        same = data is not None and Proof.model_validate_json(data).brief == proof
        same = same and sha256(data or b"").hexdigest() == tracker.record().digests.get(feature.id)
    except ValidationError:
        same = False
    if data is None:
        found.append(f"{path} is missing")
    elif not same:
        found.append(f"{path} is not the proof that the journal's events hold")
    if proof.kind is not feature.kind:
        found.append(f"it was proved as a {proof.kind}, and is a {feature.kind}")
    if proof.after is None or not repository.has(f"{proof.after}^{{commit}}"):
        found.append(f"its commit {str(proof.after)[:12]} is not in the loop's branches")
    elif repository.tree_of(proof.after) != proof.after_tree:
        found.append(f"the files of its commit {proof.after[:12]} are not those that were proved")
    elif repository.parents(proof.after) != (proof.before,):
        found.append(f"its commit {proof.after[:12]} does not stand on {proof.before[:12]} alone")
    elif not repository.is_ancestor(proof.after, tracker.record().checkpoint):
        found.append(f"its commit {proof.after[:12]} is not part of the newest checkpoint")
    return found


# --- the clean room and the replays -----------------------------------------------------------------------


def _states(verdict: Verdict, proofs: Mapping[str, Proof]) -> dict[str, State]:
    """Return which features hold. If the clean room could not run, it shows nothing about any feature."""
    if not verdict.accepted and not verdict.lost:
        return dict.fromkeys(proofs, "not shown")
    lost = frozenset(verdict.lost)
    return {
        name: "fails" if proof.green and lost & {*proof.green.passed} else "holds"
        for name, proof in proofs.items()
    }


async def _replays(
    ground: VerificationEnvironment,
    record: LoopRecord,
    events: Sequence[Event],
    say: Callable[[str], object],
) -> dict[str, str]:
    """Replay red and green of each proof that counts, on its own commits, with the submitted tests."""
    assert record.features is not None
    made: dict[str, str] = {}
    passing: dict[str, Proof] = {}
    for event in events:
        if isinstance(event, Reopened | Revoked):
            passing.pop(event.feature_id, None)
        if not isinstance(event, Kept):
            continue
        proof = event.proof
        if record.proofs.get(proof.feature_id) == proof:
            say(f"replaying {proof.feature_id}")
            feature = record.features.get(proof.feature_id)
            made[proof.feature_id] = await _replay(ground, feature, proof, record.baseline, passing)
        # Drop the stored suite run: an audit sees the suite itself and trusts no record of it.
        passing[proof.feature_id] = proof.model_copy(update={"regression": None})
    return made


async def _replay(
    ground: VerificationEnvironment,
    feature: Feature,
    proof: Proof,
    baseline: Baseline | None,
    passing: Mapping[str, Proof],
) -> str:
    before, trees = proof.before, ground.repository
    if not trees.has(f"{before}^{{commit}}") or not trees.has(proof.after_tree):
        return "its commits are not here"
    gate = await ground.gate.check(trees.tree_of(before), proof.after_tree)
    # Work that holds already is accepted when it is submitted a second time.
    for _ in range(2 if "already satisfied" in proof.marks else 1):
        await ground.workspace.switch(proof.after_tree)
        verdict, _ = await ground.verifier.prove(
            feature,
            Submission(feature_id=proof.feature_id, tests=proof.tests, summary=proof.summary),
            before=before,
            after=proof.after_tree,
            baseline=baseline or Baseline(),
            passing=passing,
            gate=gate,
        )
    return "holds" if verdict.accepted else "; ".join(f"{one.code}: {one.text}" for one in verdict.reasons)
