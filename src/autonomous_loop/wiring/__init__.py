"""Builds the parts and connects them: the only room that knows every adapter."""
