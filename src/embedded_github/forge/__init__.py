"""The embedded GitHub's forge: repositories, issues, pull requests; over REST, GraphQL and git."""
