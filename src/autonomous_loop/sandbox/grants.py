"""The job's grants to the sandbox: program folders, readable folders and variables."""

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
# Variables of the runner, the loop and the cloud; names of secrets; variables that change how a program
# starts.
_KEPT: Final = re.compile(
    r"(GITHUB|ACTIONS|RUNNER|INPUT|ANTHROPIC|CLAUDE|AUTONOMOUS_LOOP|AWS|GOOGLE|AZURE|GIT|LD|SUDO|SSH)_.*"
    r"|.*(KEY|TOKEN|SECRET|PASSWORD)(_PREVIOUS)?|PATH|HOME|TMPDIR|TMP|TEMP|SHELL|USER|LOGNAME|BASH_ENV|ENV"
)


@dataclass(frozen=True, slots=True)
class Grants:
    """Extra access that the author of the workflow grants, never the project or the model.

    Attributes:
        path: folders that come before the system's on PATH.
        readable: more folders that the sandbox may read.
        variables: more environment variables, such as DATABASE_URL. The sandbox can read them, and so can the
            model.
    """

    path: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the grants from this program's environment.

        Raises:
            ConfigurationError: a folder is not absolute, or a variable must not be granted.
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
        """Return self if no variable holds one of the loop's secrets.

        Raises:
            ConfigurationError: a variable holds one of the loop's secrets, whatever its name.
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
