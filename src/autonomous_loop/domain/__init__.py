"""Values and rules of a loop, as pure code: no I/O, no clock, no environment."""
