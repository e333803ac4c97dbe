"""Defines the sandbox's folder, its environment, and the paths of the machine that it may read."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox.landlock import Landlock

# Every command may read these folders of the machine's own software. No home folder is among them.
READ = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap"),
    *("/proc", "/sys", "/var/cache/fontconfig", "/run/systemd/resolve"),
)
WRITE = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/urandom",
    "/dev/random",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/shm",  # noqa: S108 - named, not used
)
# The owner of a terminal can open it. A sandbox with its own user can open only terminals it made.
WRITE_AS_OTHER_USER = ("/dev/pts",)
# The loop's own programs that run in the sandbox. They are copied to the sandbox's folder, because the
# sandbox cannot read every package.
PROGRAMS = ("courier.py", "browser_child.py")
LENT = "lent"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def lock_folder() -> Path:
    """Return the folder that holds the locks of the sandbox users."""
    run = Path("/run")
    return (run if os.access(run, os.W_OK) else Path(tempfile.gettempdir())) / "autonomous-loop-hands"


def make_folder(base: Path | None, uid: int | None) -> Path:
    """Create a folder that others can only pass through, with the sandbox's own folder in it.

    The sandbox cannot move or replace its folder, because the loop owns the folder above.

    Args:
        base: see `ProcessSandbox.create`.
        uid: the sandbox's user; None: the loop's own user.

    Raises:
        SandboxError: another user cannot enter `base`.
    """
    base = (base or Path(tempfile.gettempdir())).resolve()
    for above in [base, *base.parents] if uid is not None else []:
        if not above.stat().st_mode & 0o001:
            raise SandboxError(
                f"the hands' folder cannot be made in {base}: other users cannot enter {above}.",
                hint="choose a folder every user can enter, such as /var/tmp, for the hands (or TMPDIR).",
            )
    folder = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=base))
    folder.chmod(0o711 if uid is not None else 0o700)
    for name in PROGRAMS:
        (folder / name).write_bytes(Path(__file__).with_name(name).read_bytes())
        (folder / name).chmod(0o444)
    (folder / LENT).mkdir()
    (folder / LENT).chmod(0o755)
    inner = folder / "sandbox"
    # All of these exist before the first process of the sandbox starts.
    for path in (inner, inner / "work", inner / "home", inner / "tmp"):
        path.mkdir(mode=0o700)
    if uid is not None:
        for path in (inner / "work", inner / "home", inner / "tmp", inner):
            os.chown(path, uid, uid, follow_symlinks=False)
    return folder


def lend_file(folder: Path, data: bytes) -> str:
    """Write `data` to a file that the sandbox can read, replacing the previous one; return its path."""
    for before in (folder / LENT).iterdir():
        before.unlink()
    path = folder / LENT / secrets.token_hex(8)
    path.write_bytes(data)
    path.chmod(0o444)
    return str(path)


def remove_folder(folder: Path) -> None:
    """Remove the emptied folder of the sandbox; never walk into folders that the sandbox could write."""
    for name in PROGRAMS:
        (folder / name).unlink(missing_ok=True)
    for lent in (folder / LENT).glob("*"):
        lent.unlink()
    for path in (folder / LENT, folder / "sandbox", folder):
        with contextlib.suppress(OSError):
            path.rmdir()


def close_to_others(folder: Path) -> None:
    """Deny everyone but the owner access to a folder, even if there is no Landlock.

    Raises:
        SandboxError: the loop does not own the folder.
    """
    try:
        folder.chmod(0o700)
    except OSError as error:
        raise SandboxError(
            f"{folder} cannot be closed to the hands: {error.strerror}.",
            hint="let the action's container run as root, as the runner does by itself.",
        ) from None


def landlock_rules(folder: Path, readable: Sequence[str], *, own_user: bool) -> Landlock:
    """Return what the sandbox may read and write; `own_user`: it runs as another user than the loop."""
    programs = [str(folder / name) for name in (*PROGRAMS, LENT)]
    terminals = WRITE_AS_OTHER_USER if own_user else ()
    return Landlock(read=[*READ, *programs, *readable], write=[*WRITE, *terminals, str(folder / "sandbox")])


def environment(inner: Path, path: Sequence[str], chrome_path: str | None) -> dict[str, str]:
    """Return the environment, an allow-list; nothing is inherited.

    Args:
        inner: the sandbox's folder.
        path: PATH; if empty, the system's folders.
        chrome_path: CHROME_PATH.
    """
    allowed = {
        "PATH": ":".join(path) or SYSTEM_PATH,
        "HOME": str(inner / "home"),
        "TMPDIR": str(inner / "tmp"),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "CI": "true",
        "USER": "sandbox",
        "SHELL": "/bin/bash",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    return allowed | ({"CHROME_PATH": chrome_path} if chrome_path else {})


def readable_paths(given: Sequence[str], browser_python: str | None, chrome_path: str | None) -> list[str]:
    """Return what the sandbox may read besides the system's folders.

    These are the given paths, Python's own installation and the browser.

    Raises:
        SandboxError: a path is not absolute, or is the whole file system.
    """
    for path in given:
        if not path.startswith("/") or not path.strip("/."):
            raise SandboxError(
                f"the hands cannot be given {path!r} to read.", hint="name a folder below / by its full path."
            )
    playwright = Path(browser_python).parent.parent if browser_python else None
    return [
        *given,
        sys.base_prefix,
        # Add it only if it is a virtual environment: the folder above ~/bin would be a home.
        *([str(playwright)] if playwright is not None and (playwright / "pyvenv.cfg").exists() else []),
        *([chrome_path] if chrome_path else []),
    ]
