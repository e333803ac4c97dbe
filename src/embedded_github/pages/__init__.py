"""The embedded GitHub's web pages: issues, pull requests, runs and files, to look at and nothing else."""
