"""The unprivileged side: another user, a shell, files, a browser; nothing of the loop is in its reach."""
