"""Keys that sign the journal's chain and the handoff. Pure code; `wiring` supplies the key bytes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

UNSIGNED = "none"


@dataclass(frozen=True, slots=True)
class Key:
    """One derived key. Its `id` is public, its `secret` is not."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys of one loop. The first key signs; all of them verify (a previous key, for rotation).

    Without a key everything is chained but unsigned; `signed` tells.
    """

    keys: tuple[Key, ...]

    @classmethod
    def derive(cls, materials: tuple[str, ...], *, repository: str, loop: str) -> Self:
        """Derive keys by HKDF over repository and loop; one loop's signature is invalid in another."""
        made = []
        for material in materials:
            if not material:
                continue
            info = f"autonomous-loop/1/{repository}/{loop}".encode()
            secret = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(material.encode())
            made.append(Key(hashlib.sha256(b"key id" + secret).hexdigest()[:12], secret))
        return cls(tuple(made))

    @property
    def signed(self) -> bool:
        """Whether there is a key."""
        return bool(self.keys)

    @property
    def key_id(self) -> str:
        """Id of the signing key."""
        return self.keys[0].id if self.keys else UNSIGNED

    def sign(self, text: bytes) -> str:
        """Return `<key id>:<hexadecimal HMAC-SHA256>`; unsigned, a digest that only detects accidents."""
        if not self.keys:
            return f"{UNSIGNED}:{hashlib.sha256(text).hexdigest()}"
        return f"{self.keys[0].id}:{hmac.new(self.keys[0].secret, text, hashlib.sha256).hexdigest()}"

    def verify(self, text: bytes, mac: str) -> bool:
        """Whether one of the keys made `mac`; an unsigned one is valid only if there is no key."""
        key_id, _, digest = mac.partition(":")
        if key_id == UNSIGNED:
            return not self.keys and hmac.compare_digest(digest, hashlib.sha256(text).hexdigest())
        return any(
            key.id == key_id
            and hmac.compare_digest(digest, hmac.new(key.secret, text, hashlib.sha256).hexdigest())
            for key in self.keys
        )

    def knows(self, mac: str) -> bool:
        """Whether the key that made `mac` is here, to tell a lost key from a forged text."""
        key_id = mac.partition(":")[0]
        return key_id == self.key_id or any(key.id == key_id for key in self.keys)
