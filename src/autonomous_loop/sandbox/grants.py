"""What a job lends its hands: folders of programs, folders to read, variables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from autonomous_loop.errors import ConfigurationError

PATH: Final = "AUTONOMOUS_LOOP_HANDS_PATH"
READABLE: Final = "AUTONOMOUS_LOOP_HANDS_READABLE"
VARIABLES: Final = "AUTONOMOUS_LOOP_HANDS_ENV"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
# The runner's, the loop's and the cloud's own, what names a secret, what changes how a program starts.
_KEPT: Final = re.compile(
    r"(GITHUB|ACTIONS|RUNNER|INPUT|ANTHROPIC|CLAUDE|AUTONOMOUS_LOOP|AWS|GOOGLE|AZURE|GIT|LD|SUDO|SSH)_.*"
    r"|.*(KEY|TOKEN|SECRET|PASSWORD)(_PREVIOUS)?|PATH|HOME|TMPDIR|TMP|TEMP|SHELL|USER|LOGNAME|BASH_ENV|ENV"
)


@dataclass(frozen=True, slots=True)
class Grants:
    """By the person who wrote the workflow, never by the project or the model.

    Attributes:
        path: folders before the system's on PATH.
        readable: more folders the hands may read.
        variables: more of their environment, such as DATABASE_URL. They can read it, and so can the model.
    """

    path: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """From the environment of the program.

        Raises:
            ConfigurationError: a folder that is not absolute, or a variable that is not to be lent.
        """
        given = json.loads(environ.get(VARIABLES) or "{}")
        for name in given:
            if not _NAME.fullmatch(name) or _KEPT.fullmatch(name.upper()):
                raise ConfigurationError(
                    f"the variable {name[:100]!r} is not lent to the hands, since the model could read it.",
                    hint="leave it out of `env`; if it is no secret, give it another name.",
                )
        return cls(
            path=_folders(environ.get(PATH, ""), "path"),
            readable=_folders(environ.get(READABLE, ""), "readable"),
            variables=given,
        )

    def without(self, secrets: tuple[str, ...]) -> Self:
        """Itself.

        Raises:
            ConfigurationError: a variable holds one of the loop's secrets, whatever it is called.
        """
        for name, value in self.variables.items():
            if any(secret in value for secret in secrets):
                raise ConfigurationError(
                    f"the variable {name} holds one of the loop's own secrets: it is not lent to the hands.",
                    hint=f"leave {name} out of `env`.",
                )
        return self


def _folders(text: str, source: str) -> tuple[str, ...]:
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    for one in found:
        if not Path(one).is_absolute() or ":" in one or Path(one) == Path("/"):
            raise ConfigurationError(
                f"`{source}` names {one[:200]!r}, which is no absolute folder.",
                hint="write one absolute path a line.",
            )
    return found
