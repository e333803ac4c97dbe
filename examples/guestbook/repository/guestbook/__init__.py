"""A small guestbook for a small website."""
