"""REST and GraphQL over HTTP: who asks, whether they may, and the answer."""
