"""GitHub's public GraphQL schema."""

from pathlib import Path

from contract.npm import Package

PACKAGE = Package(
    "@octokit/graphql-schema",
    "15.26.1",
    "sha512-RFDC2MpRBd4AxSRvUeBIVeBU7ojN/SxDfALUd7iVYOSeEK3gZaqR2MGOysj4Zh2xj2RY5fQAUT+Oqq7hWTraMA==",
)


def schema() -> Path:
    """The schema in GraphQL's own language.

    Raises:
        RuntimeError: the package could not be fetched, or is another one than the pinned.
    """
    return PACKAGE.keep("github-graphql", "package/schema.graphql", form=1)
