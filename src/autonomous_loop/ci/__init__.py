"""One CI job: what started it, what it is about, and what it leaves."""
