"""The repository on GitHub under check, and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from autonomous_loop.github.workflow import WORKFLOW

SETTING = 'tick "Allow GitHub Actions to create and approve pull requests"'


@dataclass(frozen=True, slots=True)
class Target:
    """Builds the links that a person opens.

    Attributes:
        name: `owner/name`; empty: unknown, so the pages are described in words.
        server_url: address of GitHub's pages.
    """

    name: str
    server_url: str

    def page(self, path: str, words: str) -> str:
        """Return the address of one of its pages, or how to get there."""
        return f"{self.server_url}/{self.name}/{path}" if self.name else words

    @property
    def secrets(self) -> str:
        """Page on which to add secrets."""
        return self.page("settings/secrets/actions/new", "Settings, Secrets and variables, Actions")

    @property
    def actions(self) -> str:
        """Page on which to allow Actions."""
        return self.page("settings/actions", "Settings, Actions, General")

    @property
    def labels(self) -> str:
        """Page on which to create labels."""
        return self.page("labels", "Issues, Labels")

    @property
    def workflow(self) -> str:
        """Page on which to enable the workflow."""
        file = quote(WORKFLOW.rpartition("/")[2])
        return self.page(f"actions/workflows/{file}", "Actions, Autonomous Loop")

    def gh(self, command: str) -> str:
        """Return a `gh` command for this repository."""
        return f"gh {command} --repo {self.name}" if self.name else f"gh {command}"


def next_steps(target: Target, label: str) -> list[str]:
    """Return the steps left after the files are written."""
    words = "Settings, Developer settings, GitHub Apps"
    app = f"{target.server_url}/settings/apps/new" if target.name else words
    app_token = (
        "so that your CI runs on the pull request without a click (recommended): an app's token."
        f" Make an app with contents, issues, pull requests and actions, each read and write: {app};"
        " install it on this repository; keep its id as the variable LOOP_APP_ID and its private key as the"
        " secret LOOP_APP_KEY; put a step with actions/create-github-app-token (app-id, private-key) before"
        " the loop's, and give the loop github-token: ${{ steps.ID.outputs.token }}. Without it, a person"
        ' clicks "Approve workflows to run" on the pull request'
    )
    return [
        "look at the files, commit them, and bring them to the default branch",
        f"add the secret ANTHROPIC_API_KEY: {target.gh('secret set ANTHROPIC_API_KEY')}, or {target.secrets}",
        f"{SETTING}: {target.actions} (Workflow permissions)",
        f"make the label: {target.gh(f'label create {label}')}, or {target.labels}",
        app_token,
        "see whether anything is missing: autonomous-loop doctor",
        f"put the label {label} on an issue",
    ]
