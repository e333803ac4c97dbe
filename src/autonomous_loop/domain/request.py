"""The request as it was when the loop started: frozen, hashed, carried along."""

from __future__ import annotations

import hashlib

from pydantic import Field

from autonomous_loop.domain.model import Model


class Request(Model):
    """What was asked, already cleaned of hidden text.

    Attributes:
        requester: the login of who asked; empty on a plain git directory.
        comments: by people with write access, from before the label.
    """

    title: str = Field(max_length=500)
    body: str = Field(max_length=200_000)
    requester: str = ""
    issue: int | None = None
    comments: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything of it that the model is shown, and a person must be able to read."""
        return (self.title, self.body, *self.comments)

    @property
    def hash(self) -> str:
        """SHA-256 over what the model is shown."""
        text = "\0".join(self.texts)
        return hashlib.sha256(text.encode()).hexdigest()
