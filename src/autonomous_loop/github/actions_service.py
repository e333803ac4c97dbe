"""Finds the service that stores a running job's artifacts, and the job's ids there."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.action import RunFacts

_SCOPE: Final = re.compile(r"(?:^|\s)Actions\.Results:([A-Za-z0-9-]{1,100}):([A-Za-z0-9-]{1,100})(?:\s|$)")
NO_RUNTIME: Final = (
    "older Enterprise servers keep no artifacts this way, and a plain `run:` step has not the variables; "
    "leave handoff-store at comment there."
)


@dataclass(frozen=True, slots=True)
class Backend:
    """The Actions service of a running job.

    Attributes:
        origin: origin of `ACTIONS_RESULTS_URL`.
        token: `ACTIONS_RUNTIME_TOKEN`; never shown.
        run, job: the service's own ids, from the token's scope.
    """

    origin: str
    token: str = field(repr=False)
    run: str
    job: str

    @classmethod
    def of(cls, facts: RunFacts) -> Backend:
        """Read the values the runner gave.

        Raises:
            ConfigurationError: there are none, or the token lacks the scope.
        """
        if not facts.results_url or not facts.runtime_token:
            raise ConfigurationError(
                "this job cannot keep artifacts: ACTIONS_RESULTS_URL or ACTIONS_RUNTIME_TOKEN is not set.",
                hint=NO_RUNTIME,
            )
        address = urlsplit(facts.results_url)
        found = _SCOPE.search(_scopes(facts.runtime_token))
        if address.scheme not in {"http", "https"} or not address.netloc or not found:
            raise ConfigurationError(
                "this job cannot keep artifacts: its runtime token names no Actions.Results scope, "
                "or ACTIONS_RESULTS_URL is no address.",
                hint=NO_RUNTIME,
            )
        return cls(f"{address.scheme}://{address.netloc}", facts.runtime_token, found[1], found[2])


def _scopes(token: str) -> str:
    """Return the `scp` claim of a JWT, unverified: it only tells which ids to send."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return ""
    scopes = claims.get("scp") if isinstance(claims, dict) else None
    return scopes if isinstance(scopes, str) else ""
