"""The scripted model: an HTTP server that speaks Anthropic's Messages API and answers from a script."""
