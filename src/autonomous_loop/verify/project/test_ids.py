"""Handles ids of tests."""

from __future__ import annotations


def without_parameters(test_id: str) -> str:
    """Return the id without parameters and without (in Go) subtests."""
    file, sep, inner = test_id.partition("::")
    return f"{file}{sep}{inner.partition('/' if file.endswith('_test.go') else '[')[0]}"
