"""Signatures on what the model made, so that the server knows it again without remembering it."""

from __future__ import annotations

import base64
import hashlib
import hmac

# No secret: it only tells the blocks this server made from others.
_SEAL = b"scripted-model"


def sign(text: str) -> str:
    """The signature of a thinking or compaction block: the text's digest, and a seal over that."""
    digest = hashlib.sha256(text.encode()).digest()[:18]
    return base64.b64encode(digest + hmac.digest(_SEAL, digest, "sha256")[:18]).decode()


def sealed_digest(signature: str | None) -> bytes | None:
    """The digest a signature holds; None where this server did not make it."""
    try:
        raw = base64.b64decode(signature or "", validate=True)
    except ValueError:
        return None
    digest, seal = raw[:18], raw[18:]
    return digest if digest and seal == hmac.digest(_SEAL, digest, "sha256")[:18] else None
