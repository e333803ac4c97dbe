"""Runs commands, the shell, file access and the browser as an unprivileged user, isolated from the loop."""
