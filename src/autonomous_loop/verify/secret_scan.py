"""Finds secrets in added text by the patterns of detect-secrets, without verifying any over the network.

It finds only keys with a recognisable form. Guesses by entropy, or by words such as "password", would refuse
honest tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from detect_secrets.core.plugins.initialize import from_plugin_classname
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector

PLUGINS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector",
    "IbmCosHmacDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector",
    "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SoftlayerDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
LONGEST_LINE = 10_000


class SecretScan:
    """Scans text line by line."""

    def __init__(self) -> None:
        self._plugins: list[BasePlugin] = [AnthropicKey()]
        self._plugins += [from_plugin_classname(name) for name in PLUGINS]

    def kinds(self, lines: list[str]) -> list[str]:
        """Return the sorted kinds of secrets in `lines`, never the secrets themselves."""
        return sorted(set(self._found(lines)))

    def _found(self, lines: list[str]) -> Iterator[str]:
        for line in lines:
            # Scan a long line in pieces; they overlap by more than the length of a key.
            for start in range(0, max(len(line), 1), LONGEST_LINE - 1_000):
                piece = line[start : start + LONGEST_LINE]
                for plugin in self._plugins:
                    if any(True for _ in plugin.analyze_string(piece)):
                        yield str(plugin.secret_type)


@cache
def _scan() -> SecretScan:
    return SecretScan()


def secret_kinds(lines: list[str]) -> list[str]:
    """See `SecretScan.kinds`. This is a function, so that another process can call it."""
    return _scan().kinds(lines)


class AnthropicKey(RegexBasedDetector):
    """Detects keys of the Messages API."""

    secret_type = "Anthropic API Key"  # noqa: S105 - its name

    @property
    def denylist(self) -> tuple[re.Pattern[str], ...]:
        """Return the patterns of such keys."""
        return (re.compile(r"sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_-]{20,}"),)
