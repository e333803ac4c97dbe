"""The loop's own bare repository: checkpoints, journal, and the scratch clone the hands work in."""
