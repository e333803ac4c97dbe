"""Proof: what the loop itself saw of a candidate's tests."""
