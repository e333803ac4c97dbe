"""The brain's side: conversations with Claude that build features and turn requests into feature lists."""
