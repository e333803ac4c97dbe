"""Stores the handoff as an artifact of the session's own run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from autonomous_loop.domain.events import Claimant
from autonomous_loop.domain.model import LoopId
from autonomous_loop.errors import ForgeError
from autonomous_loop.github.artifacts import ArtifactClient, UnansweredError

FILE: Final = "handoff.json"
MOST_HANDOFF: Final = 1_000_000
LOOK_BACK: Final = 3
"""Maximum claims to look through, newest first, because sessions that died left no handoff."""

logger = logging.getLogger(__name__)


class ArtifactHandoffStore:
    """Implements `HandoffStore`. It finds a handoff by the run in the journal's claims, never by name alone.

    The name contains the claim's nonce, so that no attempt of a run overwrites another's.

    Args:
        artifacts: artifact client of this job.
        loop: the loop's id.
        me: this session's claim.
        claimed: the claims of earlier sessions, newest first.
        show: publishes the part for people.
    """

    def __init__(
        self,
        artifacts: ArtifactClient,
        *,
        loop: LoopId,
        me: Claimant,
        claimed: Sequence[Claimant],
        show: Callable[[str], None],
    ) -> None:
        self._artifacts = artifacts
        self._loop = loop
        self._me = me
        self._claimed = claimed
        self._show = show
        self._written: str | None = None

    def write(self, human: str, document: str) -> None:
        """See `HandoffStore`.

        Raises:
            ConfigurationError: this job cannot store artifacts.
            ForgeError: GitHub refused.
        """
        if len(document.encode()) > MOST_HANDOFF:
            raise ForgeError(f"The handoff takes {len(document)} characters; {MOST_HANDOFF} are read.")
        self._artifacts.upload(self._name(self._me), {FILE: document.encode()})
        self._written = document
        self._show(human)

    def read(self) -> str | None:
        """See `HandoffStore`. Also None if it is damaged, or its run belongs to another workflow.

        Raises:
            ForgeError: GitHub did not answer.
        """
        if self._written is not None:
            return self._written
        for claimant in self._claimed[:LOOK_BACK]:
            if not claimant.run_id.isdecimal():
                continue
            found = self._artifacts.find(int(claimant.run_id), self._name(claimant))
            if found is None:
                continue
            try:
                return self._artifacts.download(found, most_bytes=MOST_HANDOFF)[FILE].decode()
            except (KeyError, UnicodeDecodeError):
                logger.warning("the handoff of run %s is no handoff", claimant.run_id)
            except UnansweredError:
                raise
            except ForgeError as error:
                logger.warning("%s", error.message)
            return None
        return None

    def _name(self, claimant: Claimant) -> str:
        return f"autonomous-loop-{self._loop}-handoff-{claimant.nonce[:12]}"
