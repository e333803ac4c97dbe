"""Takes each check out of the verifier, one by one, and sees that the corpus notices.

    python tests/verify/mutations.py [--suggest] [check or case ...]

For each check (found in the source, see `instrumented.py`) a case of the corpus that names it is run without
it: the refusal must change, and the work must be accepted; where other checks refuse it too, the case names
them as further layers, and it must be accepted without all of them. A check that no case names fails the
run. Exit code 1 where a check can be taken out unnoticed.

`--suggest` prints, for cases, which checks refuse them: what to write into the corpus.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from verify.instrumented import Checks, install

CHECKS = install()

from autonomous_loop.config import LoopConfig
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.verify import gate, verifier
from verify.corpus import TRICKS
from verify.corpus.base import Trick, judge
from verify.proof_world import World, make_sandbox
from verify.shown_elsewhere import ELSEWHERE

assert gate, verifier  # imported with their switches
MOST_LAYERS = 6


class Mutants:
    """Runs cases without some of the checks."""

    def __init__(self, sandbox: ProcessSandbox, checks: Checks) -> None:
        self._sandbox = sandbox
        self._checks = checks
        self._seen: dict[tuple[str, frozenset[str]], str] = {}

    async def verdict(self, trick: Trick, gone: Iterable[str]) -> str:
        """ "accepted", or the code and the text of the first reason, or what broke."""
        key = (trick.name, frozenset(gone))
        if key not in self._seen:
            self._seen[key] = await self._run(trick, key[1])
        return self._seen[key]

    async def _run(self, trick: Trick, gone: frozenset[str]) -> str:
        self._checks.gone, self._checks.asked = gone, []
        with tempfile.TemporaryDirectory() as folder:
            world = World(self._sandbox, Path(folder, "loop"), LoopConfig())
            try:
                verdict = await judge(world, trick)
            except Exception as error:  # noqa: BLE001 - a mutant may break anything
                return f"an error: {error!r}"
            finally:
                self._checks.gone = frozenset()
                world.close()
        if verdict.accepted:
            return "accepted"
        return f"{verdict.reasons[0].code}: {verdict.reasons[0].text}"

    async def unnoticed(self, check: str, trick: Trick) -> str:
        """Why a case does not show that a check is needed; "" where it does."""
        said = await self.verdict(trick, [check])
        if check not in self._checks.asked and said != "accepted":
            return "the verifier never comes to it"
        if _is_expected(said, trick):
            return "the work is refused just the same"
        if said == "accepted":
            return ""
        others = [layer[0] for layer in layers(trick) if check not in layer]
        said = await self.verdict(trick, [check, *others]) if others else said
        if said == "accepted" or (trick.then and said.startswith(f"{trick.then}:")):
            return ""
        return f"the work is not accepted without {', '.join([check, *others])}: {said[:300]}"

    async def suggestion(self, trick: Trick) -> str:
        """The layers that refuse a case, found by taking out one after the other."""
        gone: list[str] = []
        for _ in range(MOST_LAYERS):
            said = await self.verdict(trick, gone)
            code = said.partition(":")[0]
            found = [
                one
                for one in self._checks.asked
                if one not in gone and code in one.partition(":")[2].partition("#")[0].split("|")
            ]
            if said == "accepted" or not found:
                return f"{gone} -> {said[:150]!r}; on the way {sorted(set(self._checks.asked) - set(gone))}"
            gone.append(found[-1])
        return f"{gone} and more"


def layers(trick: Trick) -> list[list[str]]:
    """The chains of a case."""
    return [layer.split() for layer in trick.checks]


def _is_expected(said: str, trick: Trick) -> bool:
    return said.startswith(f"{trick.code}:") and trick.says in said


def cases_of(check: str) -> Iterator[Trick]:
    """Cases that name a check; those with the fewest layers first, and those that are about it."""
    naming = [trick for trick in TRICKS if any(check in layer for layer in layers(trick))]
    yield from sorted(naming, key=lambda trick: (len(trick.checks), trick.checks[0].split()[0] != check))


async def judged(mutants: Mutants, check: str) -> str:
    """Why a check could be taken out unnoticed; "" where it could not."""
    why = []
    for trick in list(cases_of(check))[:3]:
        said = await mutants.unnoticed(check, trick)
        if not said:
            return ""
        why.append(f"{trick.name!r}: {said}")
    if check in ELSEWHERE:
        return elsewhere(check)
    return "; ".join(why) or "no case names it"


def elsewhere(check: str) -> str:
    """The same by a test outside of the corpus, in a process of its own: it must fail without the check."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "verify.without_a_check", "-p", "no:cacheprovider",
         "--no-header", *ELSEWHERE[check]],
        cwd=root,
        env=os.environ | {"CHECK_THAT_IS_GONE": check, "PYTHONPATH": str(root / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode == 1:
        return ""
    return f"{' '.join(ELSEWHERE[check])} ends with exit code {done.returncode}: {done.stdout[-300:]}"


async def work(share: str, wanted: list[str], *, suggest: bool) -> None:
    """One process's share of the checks: a line of JSON for each."""
    number, total = map(int, share.split("/"))
    sandbox = await make_sandbox()
    mutants = Mutants(sandbox, CHECKS)
    try:
        if suggest:
            for trick in [one for one in TRICKS if not wanted or any(word in one.name for word in wanted)]:
                print(f"{trick.name}: {await mutants.suggestion(trick)}", flush=True)
            return
        # Each process takes another part of the source, so that cases are not run twice.
        chosen = [one for one in CHECKS.lines if not wanted or any(word in one for word in wanted)]
        for check in chosen[number::total]:
            print(json.dumps([check, await judged(mutants, check)]), flush=True)
    finally:
        await sandbox.close()


def main() -> int:
    """Splits the checks among processes and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", default="")
    parser.add_argument("--suggest", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    if given.share or given.suggest:
        asyncio.run(work(given.share or "0/1", given.names, suggest=given.suggest))
        return 0
    named = {check for trick in TRICKS for layer in layers(trick) for check in layer} | set(ELSEWHERE)
    unknown = sorted(named - set(CHECKS.lines))
    processes = os.cpu_count() or 1
    running = [
        subprocess.Popen(
            [sys.executable, __file__, "--share", f"{number}/{processes}", *given.names],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    failed = 0
    for one in running:
        said, _ = one.communicate()
        for line in said.splitlines():
            check, why = json.loads(line)
            failed += bool(why)
            cases = [trick.name for trick in cases_of(check)][:1] or ELSEWHERE.get(check, ["-"])
            print(f"{'FAIL' if why else 'ok  '} {CHECKS.lines[check]:28} {check:52} {why or cases[0]}")
        failed += bool(one.returncode)
    for check in unknown:
        print(f"FAIL {check}: named by a case, but there is no such check")
    failed += len(unknown)
    print(f"{len(CHECKS.lines)} checks, {len(TRICKS)} cases; {failed} could be taken out unnoticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
