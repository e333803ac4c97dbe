"""Where GitHub itself strays from its own description."""


def is_githubs_own(message: str) -> bool:
    """Whether GitHub's real answers break its description in this way too.

    The noreply address of an app's bot has brackets in it, which is no e-mail address by the letter.
    """
    return 'is not a "email"' in message and "[bot]@" in message
