"""Secrets in added text, by the patterns of detect-secrets. Nothing is verified over the network.

Only keys with a form of their own: guesses by entropy or by a word such as "password" would refuse honest
tests.
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
    """Looks at text line by line."""

    def __init__(self) -> None:
        self._plugins: list[BasePlugin] = [AnthropicKey()]
        self._plugins += [from_plugin_classname(name) for name in PLUGINS]

    def kinds(self, lines: list[str]) -> list[str]:
        """Kinds of secrets in `lines`, sorted; the secrets themselves are not repeated."""
        return sorted(set(self._found(lines)))

    def _found(self, lines: list[str]) -> Iterator[str]:
        for line in lines:
            # A long line is looked at in pieces that overlap by more than a key is long.
            for start in range(0, max(len(line), 1), LONGEST_LINE - 1_000):
                piece = line[start : start + LONGEST_LINE]
                for plugin in self._plugins:
                    if any(True for _ in plugin.analyze_string(piece)):
                        yield str(plugin.secret_type)


@cache
def _scan() -> SecretScan:
    return SecretScan()


def secret_kinds(lines: list[str]) -> list[str]:
    """See `SecretScan.kinds`: a function, to be called in another process."""
    return _scan().kinds(lines)


class AnthropicKey(RegexBasedDetector):
    """Keys of the Messages API."""

    secret_type = "Anthropic API Key"  # noqa: S105 - its name

    @property
    def denylist(self) -> tuple[re.Pattern[str], ...]:
        """What such a key looks like."""
        return (re.compile(r"sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_-]{20,}"),)
