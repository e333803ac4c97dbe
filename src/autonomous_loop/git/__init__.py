"""The loop's own bare repository (checkpoints, journal), and the scratch clone that the sandbox works in."""
