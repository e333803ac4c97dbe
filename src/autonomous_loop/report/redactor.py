"""Redacts every text that leaves: known secrets in each of their forms, then unknown ones by a scanner."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector

from autonomous_loop.domain.text import utf8
from autonomous_loop.errors import CredentialError

MASK: Final = "***"
SHORTEST: Final = 6
"""Minimum length of a secret. Masking a shorter one would ruin every text, as it occurs in words."""
LONG_LINE: Final = 16
"""Minimum length of a secret's line to be masked on its own, since keys are often shown line by line."""
WHOLE_VALUE: Final = 20
"""Minimum length of a group in a scanner's pattern to count as the secret itself."""

# Only detectors whose tokens have a prefix or form of their own. Detectors that judge by entropy or by a
# variable's name would mask commit SHAs, hashes and sample data.
_DETECTORS: Final[tuple[type[RegexBasedDetector], ...]] = (
    AWSKeyDetector,
    GitHubTokenDetector,
    GitLabTokenDetector,
    OpenAIDetector,
    PypiTokenDetector,
    SendGridDetector,
    SlackDetector,
    StripeDetector,
)
# Missing in detect-secrets: fine-grained and long GitHub tokens, Anthropic's, and whole private keys (its own
# detector finds only the first line). A key is matched with real or escaped line ends.
_EXTRA: Final = (
    re.compile(r"github_pat_[A-Za-z0-9_]{22,255}"),
    re.compile(r"gh[pousr]_[A-Za-z0-9_]{36,255}"),
    re.compile(r"sk-ant-[A-Za-z0-9_-]{20,255}"),
    re.compile(
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:(?!-----BEGIN)[\s\S]){1,20000}?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"|[A-Za-z0-9+/=\s\\]{64,})"
    ),
)


class Redactor:
    """Masks secrets. Text and bytes without secrets are returned unchanged.

    Args:
        secrets: values that must never leave; empty ones are ignored, because they are not set.

    Raises:
        CredentialError: a secret is shorter than six characters.
    """

    __slots__ = ("_known", "_values")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._known: tuple[re.Pattern[str], ...] = ()
        for secret in secrets:
            if secret:
                self.add(secret)

    def __repr__(self) -> str:
        return f"Redactor(secrets={len(self._values)})"

    def add(self, secret: str) -> None:
        """Add another known secret.

        Raises:
            CredentialError: it is shorter than six characters.
        """
        value = secret.strip("\r\n")
        if len(value) < SHORTEST:
            raise CredentialError(
                f"A secret of {len(value)} characters cannot be hidden: it would be found in ordinary words.",
                hint=f"use one of at least {SHORTEST} characters, or leave the input empty.",
            )
        lines = {line.strip() for line in value.splitlines()}
        self._values |= {value, *(line for line in lines if len(line) >= LONG_LINE and "-----" not in line)}
        # The longest first, because one secret may begin with another.
        self._known = tuple(
            re.compile(form)
            for one in sorted(self._values, key=lambda text: (-len(text), text))
            for form in (_plain(one), _base64(one))
        )

    def text(self, text: str) -> str:
        """Return `text` with `***` for every secret found in it, safe for UTF-8."""
        return utf8(self._masked(text))

    def bytes(self, data: bytes) -> bytes:
        """Redact bytes of any encoding; bytes that are no text stay unchanged."""
        return self._masked(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def holds_known(self, text: str) -> bool:
        """Whether `text` contains a known secret in any of its forms."""
        return any(pattern.search(text) for pattern in self._known)

    def _masked(self, text: str) -> str:
        for pattern in self._known:
            text = pattern.sub(MASK, text)
        for pattern in _UNKNOWN:
            text = pattern.sub(_mask, text)
        return text


def _mask(match: re.Match[str]) -> str:
    """Mask the match. If a pattern includes a variable's name, mask only the value after it.

    A short group is a prefix ("ghp") or a part, not the secret.
    """
    value = (match.group(1) or "") if match.re.groups else ""
    return match.group().replace(value, MASK) if len(value) >= WHOLE_VALUE else MASK


def _plain(secret: str) -> str:
    """Return a pattern for the secret raw, URL-quoted, JSON-, HTML- or Markdown-escaped, or any mixture."""
    return "".join(_character(one) for one in secret)


def _character(one: str) -> str:
    if one.isascii() and one.isalnum():
        return one
    quoted = re.escape(quote(one, safe="")) if not _unreserved(one) else f"%{ord(one):02X}"
    units = one.encode("utf-16-be")
    escaped = "".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    forms = {re.escape(one), f"(?i:{quoted})", f"(?i:{escaped})"}
    if one.isascii() and one.isprintable():
        forms.add(rf"\\+{re.escape(one)}")  # JSON's quotes, Markdown's marks
    if one == " ":
        forms.add(r"\+")
    if one in _CONTROL:
        forms.add(rf"\\+{_CONTROL[one]}")
    if html.escape(one) != one:
        forms.add(f"(?i:{re.escape(html.escape(one))})")
    # Longer forms first, so that a backslash before a quote is included.
    return f"(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})\u200b?"


def _unreserved(one: str) -> bool:
    return one in "-._~"


_CONTROL: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def _base64(secret: str) -> str:
    """Return the part of its base64 form that is independent of neighbours, at each of the three alignments.

    Encoders break lines, and some use the URL-safe letters.
    """
    data = secret.encode()
    forms = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data).decode().rstrip("=")
        first = -(-shift * 8 // 6)
        last = (shift + len(data)) * 8 // 6
        letters = (_LETTER.get(one, one) for one in encoded[first:last])
        forms.append(r"(?:\\n|\s){0,2}".join(letters))
    return "|".join(forms)


_LETTER: Final = {"+": "[+-]", "/": "[/_]"}
_UNKNOWN: Final = (
    *_EXTRA,
    *(re.compile(one.pattern, one.flags) for detector in _DETECTORS for one in detector().denylist),
)
