"""GitHub's side of the loop: what the runner gives, who may ask, and what is written back."""
