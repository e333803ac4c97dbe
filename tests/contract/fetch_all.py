"""Fills the cache ahead of time with what the contract tests compare with; the tests fill what is missing."""

from contract.graphql.fetch import schema
from contract.openapi.fetch import description
from contract.webhooks.fetch import examples, schemas

if __name__ == "__main__":
    description(), schemas(), examples(), schema()
