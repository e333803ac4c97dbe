"""Ids of tests."""

from __future__ import annotations


def without_parameters(test_id: str) -> str:
    """The test itself, whichever of its parameters or (in Go) subtests an id names."""
    file, sep, inner = test_id.partition("::")
    return f"{file}{sep}{inner.partition('/' if file.endswith('_test.go') else '[')[0]}"
