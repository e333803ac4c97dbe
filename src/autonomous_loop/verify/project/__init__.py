"""Reads what a project's own files say about its tests."""
