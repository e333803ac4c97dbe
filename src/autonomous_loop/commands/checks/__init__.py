"""What `doctor` looks at: the project, its GitHub, this machine."""
