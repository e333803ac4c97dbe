"""Rules that refuse a candidate by what it changed, or excuse it."""
