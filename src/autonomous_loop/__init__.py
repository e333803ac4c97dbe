"""Autonomous Loop."""
