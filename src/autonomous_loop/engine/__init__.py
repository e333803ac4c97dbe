"""Decisions of the loop: sessions, features, limits, endings. Knows the outside world only through ports."""
