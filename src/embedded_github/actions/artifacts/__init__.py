"""Artifacts: kept on disk, uploaded by jobs, downloaded over REST."""
