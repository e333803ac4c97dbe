"""Prepares, signs, writes, reads and verifies the handoff."""

from __future__ import annotations

import json

from pydantic import ValidationError

from autonomous_loop.domain.decision import HandoffReason, next_feature
from autonomous_loop.domain.handoff import Handoff, SignedHandoff
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.ports import Checkpoints, HandoffStore
from autonomous_loop.errors import HandoffError


class HandoffCoordinator:
    """Handles the note that one session leaves for the next. It also detects a rewound journal.

    Args:
        store: where the handoff is kept.
        keys: sign and verify it.
        name: name of the repository.
        checkpoints: tell whether one commit contains another.
    """

    def __init__(
        self, store: HandoffStore, *, keys: Keyring, name: str, loop: str, checkpoints: Checkpoints
    ) -> None:
        self._store = store
        self._keys = keys
        self._name = name
        self._loop = loop
        self._checkpoints = checkpoints

    @property
    def signed(self) -> bool:
        """Whether handoffs can be signed."""
        return self._keys.signed

    def prepare(
        self, record: LoopRecord, *, state: CommitSha, reason: HandoffReason, run_id: str, note: str
    ) -> Handoff:
        """Create the handoff for the journal's current state."""
        upcoming = (
            next_feature(
                record.features, record.status, in_progress=record.in_progress, put_off=record.put_off
            )
            if record.features
            else None
        )
        last = record.sessions[-1] if record.sessions else None
        return Handoff(
            repository=self._name,
            loop=self._loop,
            generation=record.generation,
            reason=reason,
            checkpoint=record.checkpoint,
            state=state,
            next_feature=upcoming.id if upcoming else None,
            features_passing=record.passing,
            features_total=record.total,
            spending=record.spending,
            requester=record.facts.request.requester,
            request_hash=record.facts.request.hash,
            run_id=run_id,
            not_before=last.not_before if last else None,
            note=note[:2_000],
        )

    def write(self, handoff: Handoff, *, human: str) -> None:
        """Sign the handoff and store it."""
        key_id, _, digest = self._keys.sign(_canonical(handoff)).partition(":")
        signed = SignedHandoff(handoff=handoff, key_id=key_id if self._keys.signed else "", mac=digest)
        self._store.write(human, signed.model_dump_json(exclude_none=True))

    def read(self) -> Handoff | None:
        """Return the last handoff, verified.

        It is None if there is none or it is unreadable: the journal alone is enough.

        Raises:
            HandoffError: it is well-formed, but forged or from another loop.
        """
        text = self._store.read()
        if text is None:
            return None
        try:
            signed = SignedHandoff.model_validate(json.loads(text))
        except (ValueError, ValidationError, RecursionError):
            return None
        handoff = signed.handoff
        if (handoff.repository, handoff.loop) != (self._name, self._loop):
            raise HandoffError(
                f"the handoff belongs to {handoff.repository} {handoff.loop},"
                f" not to {self._name} {self._loop}",
                hint="remove it; the next session goes by the journal.",
            )
        mac = f"{signed.key_id or 'none'}:{signed.mac}"
        if not self._keys.verify(_canonical(handoff), mac):
            raise HandoffError(
                "the handoff's signature does not hold: it was changed, or signed with another key",
                hint="look at its history; if the key was rotated, give the old one as handoff-key-previous.",
            )
        return handoff

    def check(self, state: CommitSha, *, tip: CommitSha | None) -> None:
        """Check for a rewind: the journal must contain the state that the handoff or the dispatch names.

        Raises:
            HandoffError: the journal was rewound or replaced.
        """
        if tip is None or not self._contains(state, tip):
            raise HandoffError(
                f"the journal was rewound: it does not contain {state[:12]}, where the handoff saw it",
                hint="a person must look at the state branch; nothing was changed.",
            )

    def _contains(self, older: CommitSha, newer: CommitSha) -> bool:
        return older == newer or self._checkpoints.is_ancestor(older, newer)


def _canonical(handoff: Handoff) -> bytes:
    return json.dumps(handoff.model_dump(mode="json", exclude_none=True), sort_keys=True).encode()
