"""Git: bare repositories, their smart HTTP and their hooks."""
