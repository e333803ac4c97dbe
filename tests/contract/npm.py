"""What GitHub publishes of itself, out of npm packages: by name, pinned by digest, kept in `.cache/`."""

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
_DEADLINE_S = 240


@dataclass(frozen=True)
class Package:
    """One version of one package; `integrity` is npm's own (`sha512-...`)."""

    name: str
    version: str
    integrity: str

    def keep(
        self, folder: str, member: str, *, form: int, make: Callable[[bytes], bytes] = lambda whole: whole
    ) -> Path:
        """One of its files, made smaller by `make`, in the checkout's cache; fetched where it is not there.

        Args:
            folder: below `.cache/`.
            member: the file, such as `package/schema.graphql`.
            form: raised when `make` makes something else: an older cache is then made anew.

        Raises:
            RuntimeError: npm could not bring the package, or brought another one than the pinned.
        """
        path = CACHE / folder / f"{self.version}-{form}{Path(member).suffix}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                fresh = Path(scratch) / "made"
                fresh.write_bytes(make(self._read(member, Path(scratch))))
                fresh.replace(path)
        return path

    def _read(self, member: str, scratch: Path) -> bytes:
        named = f"{self.name} {self.version}"
        done = subprocess.run(
            ["npm", "pack", "--json", f"{self.name}@{self.version}", "--pack-destination", str(scratch)],
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            cwd=scratch,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"npm could not fetch {named}: {done.stderr.strip()}")
        archive = scratch / json.loads(done.stdout)[0]["filename"].replace("@", "").replace("/", "-")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != self.integrity:
            raise RuntimeError(f"{named} is not the one pinned here: sha512-{digest}")
        with tarfile.open(archive) as bundle:
            found = bundle.extractfile(member)
            if found is None:
                raise RuntimeError(f"{named} has no {member}")
            return found.read()
