"""Runs tests and compares their outcomes."""
