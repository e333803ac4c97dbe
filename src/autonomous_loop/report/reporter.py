"""Renders the texts for people and redacts each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.report import markdown
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.report.view_model import Site


class MarkdownReporter:
    """Implements `Reporter`.

    Args:
        site: addresses for links.
        state: returns the journal's tip at the time of rendering; links name this SHA, so they stay valid.
        redactor: redacts every text.
    """

    def __init__(self, site: Site, *, state: Callable[[], str | None], redactor: Redactor) -> None:
        self._site = site
        self._state = state
        self._redactor = redactor

    def pull_request(self, record: LoopRecord) -> tuple[str, str]:
        """See `Reporter`."""
        title = markdown.pull_request_title(record)
        return self.redact(title), self.redact(markdown.pull_request_body(record, self._now()))

    def sticky(self, record: LoopRecord) -> str:
        """See `Reporter`."""
        return self.redact(markdown.sticky_comment(record, self._now()))

    def final(self, record: LoopRecord, kind: str) -> str:
        """See `Reporter`."""
        return self.redact(markdown.final_comment(record, self._now()))

    def state(self, record: LoopRecord) -> str:
        """See `Reporter`."""
        return markdown.stands(record, self._now()).state

    def summary(self, record: LoopRecord) -> str:
        """Return Markdown for the run's page."""
        return self.redact(markdown.job_summary(record, self._now()))

    def redact(self, text: str) -> str:
        """See `Reporter`."""
        return self._redactor.text(text)

    def leaks(self, data: bytes) -> bool:
        """See `Reporter`."""
        return self._redactor.holds_known(data.decode("utf-8", "replace"))

    def _now(self) -> Site:
        return replace(self._site, state=self._state() or "")
