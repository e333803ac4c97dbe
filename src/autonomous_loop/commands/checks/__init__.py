"""The checks of `doctor`: the project, its GitHub repository, this machine."""
