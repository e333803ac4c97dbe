"""The Actions player: events of the embedded forge become workflow runs, and jobs real processes."""
