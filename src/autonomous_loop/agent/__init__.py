"""Conversations with Claude, which build features and turn requests into feature lists."""
