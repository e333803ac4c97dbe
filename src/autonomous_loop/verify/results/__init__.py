"""Reads the output of a test run."""
