"""What a loop is about, pure: no I/O, no clock, no environment."""
