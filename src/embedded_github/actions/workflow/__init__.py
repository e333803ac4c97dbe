"""Workflow files and action.yml: reading them, and their expressions."""
