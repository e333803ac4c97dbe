"""One CI job: which event started it, which loop it works on, and what it leaves behind."""
