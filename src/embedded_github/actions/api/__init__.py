"""The REST API of workflows, runs and logs."""
