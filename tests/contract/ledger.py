"""What broke GitHub's descriptions since somebody last looked, and which operations were done."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Written by every thread that answers, read between tests."""

    violations: list[str] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)

    def taken(self) -> list[str]:
        """The violations, each once; they are then forgotten."""
        found, self.violations[:] = list(dict.fromkeys(self.violations)), []
        return found

    def assert_clean(self) -> None:
        """Fail with everything that was found."""
        found = self.taken()
        assert not found, "GitHub's own descriptions were broken:\n" + "\n".join(found)
