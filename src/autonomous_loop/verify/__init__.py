"""The proof: what the loop itself saw when it ran a candidate's tests."""
