"""Reads what a test run left behind."""
