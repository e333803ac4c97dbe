"""What a case of the corpus is, and how it is judged: real repository, real hands, the real verifier."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.proof import Verdict
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, World

WRONG = {"calc.py": START["calc.py"] + "\n\ndef double(a):\n    return 3 * a\n"}
GOOD = DOUBLE | DOUBLE_TEST
BAD = WRONG | DOUBLE_TEST
TEST_ADD = START["tests/test_calc.py"]
HALF = "\n\ndef half(a):\n    return a / 2\n"
HALF_TEST = {"tests/test_half.py": "import calc\n\n\ndef test_half():\n    assert calc.half(4) == 2\n"}


@dataclass(frozen=True)
class Work:
    """A project, and what is submitted to it.

    Attributes:
        files: what the submission adds, changes, or removes (None).
        tests: as they are submitted.
        start: laid over (or, with `alone`, in place of) the small project every case begins with.
        passing: tests that passed at the checkpoint; empty: the loop finds out by itself.
        config: of the loop.
        options: of the feature, as `World.submit` takes them.
        by_hand: shell commands the model runs in the work tree before it submits.
        earlier: a feature that was proved before, `double`, with these files and `tests/test_double.py`.
        clean_room: it is accepted, and the clean room decides. `setup` prepares it.
        afresh: judged as `prove` does it: red and green each in a place that was emptied.
        modes: entries of the tree that no work tree can hold, by path: git mode and content.
        baseline: with the real baseline, gates and all; otherwise `passing` stands for it.
        twice: it is submitted once more after it was refused.
    """

    name: str
    files: Mapping[str, str | bytes | None]
    tests: tuple[str, ...] = ("tests/test_double.py",)
    start: Mapping[str, str | bytes] = field(default_factory=dict)
    alone: bool = False
    passing: tuple[str, ...] = ("tests/test_calc.py::test_add",)
    config: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    by_hand: str = ""
    earlier: Mapping[str, str] | None = None
    clean_room: bool = False
    setup: str = ""
    afresh: bool = False
    modes: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    baseline: bool = False
    twice: bool = False

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


@dataclass(frozen=True)
class Honest(Work):
    """Work that must be accepted.

    Attributes:
        marks: what the proof says of itself.
        notices: what stands in those of its notices that speak of older tests, one for each.
    """

    marks: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trick(Work):
    """Work that must be refused.

    Attributes:
        code: of the first reason.
        says: stands in its text, and names the trick.
        checks: what refuses it, as `mutations.py` reads it: layers that stand one behind the other, each a
            chain of checks (ids of `instrumented.py`, the one it is about first) of which none can be taken
            out without opening the layer. Without a check the refusal must change; without one of each layer
            the work must be accepted.
        then: what is left where no layer is, since something that is no check of the verifier's stands in the
            way (git, say): a code, or "an error".
    """

    code: str = ""
    says: str = ""
    checks: tuple[str, ...] = ()
    then: str = ""


async def judge(world: World, work: Work) -> Verdict:
    """The verdict on a case."""
    world.configure(LoopConfig(**{"test_timeout_s": 20, **work.config}), afresh=work.afresh)
    await world.sandbox.run(["bash", "-c", 'rm -rf -- "$HOME"/case-*'], timeout_s=5)
    if work.afresh or work.clean_room:
        await world.sandbox.empty()
    begin = world.start_with_baseline if work.baseline else world.start
    options = {} if work.baseline else {"passing": work.passing}
    await begin(dict(work.start) if work.alone else START | work.start, **options)
    if work.earlier is not None:
        await world.submit(work.earlier, "tests/test_double.py", keep=True)
    feature = {"feature_id": "half"} if work.earlier is not None else {}
    submit = partial(
        world.submit, work.files, *work.tests, by_hand=work.by_hand, modes=work.modes, keep=work.clean_room
    )
    verdict = await submit(**feature, **work.options)
    if work.twice:
        verdict = await submit(**feature, **work.options)
    if not work.clean_room:
        return verdict
    world.setup = work.setup
    return await world.verifier.clean_room(world.checkpoint, baseline=world.baseline, passing=world.passing)


async def refused(world: World, trick: Trick) -> None:
    """A case is refused with its code, and a text that names it; nothing is left behind."""
    verdict = await judge(world, trick)
    assert [reason.code for reason in verdict.reasons] == [trick.code], verdict.reasons
    assert trick.says in verdict.reasons[0].text
    assert world.sandbox.work not in verdict.reasons[0].text
    # The work tree holds the candidate again, and neither a canary nor a process is left.
    if not trick.modes:
        assert await world.workspace.take() == world.candidate


def conftest(text: str, folder: str = "tests") -> dict[str, str]:
    """A conftest."""
    return {posixpath.join(folder, "conftest.py"): text}


def test_double(*lines: str, imports: str = "calc") -> dict[str, str]:  # noqa: PT028 - it makes one
    """A test of the new feature, by its lines."""
    body = "".join(f"    {line}\n" for line in lines)
    return {"tests/test_double.py": f"import {imports}\n\n\ndef test_double():\n{body}"}


test_double.__test__ = False
