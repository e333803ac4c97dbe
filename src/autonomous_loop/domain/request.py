"""The request as it was when the loop started: frozen, hashed and carried along."""

from __future__ import annotations

import hashlib

from pydantic import Field

from autonomous_loop.domain.model import Model


class Request(Model):
    """A request, already cleaned of hidden text.

    Attributes:
        requester: login of the person who asked; empty on a plain git directory.
        comments: comments from before the label, by people with write access.
    """

    title: str = Field(max_length=500)
    body: str = Field(max_length=200_000)
    requester: str = ""
    issue: int | None = None
    comments: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All its texts that the model is shown, and that a person must be able to read."""
        return (self.title, self.body, *self.comments)

    @property
    def hash(self) -> str:
        """SHA-256 over the texts that the model is shown."""
        text = "\0".join(self.texts)
        return hashlib.sha256(text.encode()).hexdigest()
