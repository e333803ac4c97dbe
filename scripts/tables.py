"""Writes action.yml and what is tabled in docs/ from the code it speaks of; `--check` only compares."""

import inspect
import json
import re
import sys
from pathlib import Path

from autonomous_loop.domain import proof
from autonomous_loop.domain.proof import Proof
from autonomous_loop.report.configuration import keys as every_key

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
name: Autonomous Loop
author: Autonomous Loop
description: >-
  Takes one issue to a reviewable pull request, over as many CI jobs as it needs.
  A feature passes only with proof.
branding:
  icon: repeat
  color: purple
# Made by scripts/tables.py. Each input that is also a configuration key overrides the project's own
# configuration (.github/autonomous-loop.toml). An input that is empty is one that was not given.
"""
CREDENTIALS = {
    "provider": (
        (
            "Who runs the model: anthropic, bedrock, vertex, foundry or aws, by the job's own cloud "
            "credentials (default anthropic)."
        ),
        "",
    ),
    "anthropic-api-key": ("Key of the Messages API, from a secret.", ""),
    "anthropic-auth-token": ("A gateway's bearer token, from a secret, instead of a key.", ""),
    "anthropic-base-url": ("Another address of the Messages API, such as a gateway.", ""),
    "anthropic-federation-rule-id": (
        "Identity federation instead of a key: the rule's id; the job needs `id-token: write`.",
        "",
    ),
    "anthropic-organization-id": ("With a federation rule: your organization's id.", ""),
    "anthropic-service-account-id": ("With a federation rule: the service account, where the rule asks.", ""),
    "anthropic-workspace-id": (
        "With a federation rule for several workspaces: which one; with provider aws: the workspace.",
        "",
    ),
    "anthropic-oidc-audience": (
        "With a federation rule: the identity token's audience (default https://api.anthropic.com).",
        "",
    ),
    "network": (
        (
            "What the model's commands may reach: open (everything the job reaches), allowed (allowed-hosts "
            "and loopback) or none (loopback) (default open)."
        ),
        "",
    ),
    "allowed-hosts": (
        "With network allowed: hosts, one a line, such as pypi.org, *.example.com or example.com:8443.",
        "",
    ),
    "github-token": (
        "Token of the repository: contents, issues, pull-requests and actions, each write.",
        "${{ github.token }}",
    ),
    "handoff-key": ("Signs the handoff and the journal; without it a key derived from the API key does.", ""),
    "handoff-key-previous": ("The handoff key before this one: still accepted while it is changed.", ""),
    "issue": ("Number of the issue to work on, in place of what the event says.", ""),
    "loop": ("Id of the loop to go on with, in place of what the event says.", ""),
    "settings": ("Other keys of docs/configuration.md, KEY=VALUE, one a line; an input of its own wins.", ""),
}
OUTPUTS = {
    "result": "How the session ended, such as complete, time, blocked or ignored.",
    "loop": "The loop's id, such as issue-12.",
    "session": "The session's number.",
    "features-passing": "Features with a proof.",
    "features-total": "Features there are.",
    "pull-request": "Number of the pull request, once there is one.",
    "total-tokens": "Tokens of the whole loop, cache reads included.",
    "cost-usd": "Estimated cost of the whole loop in US dollars.",
    "continues": "Whether a next session was started (true or false).",
}


def keys():
    """Name, what it is, default, for every configuration key."""
    for key in every_key():
        text = key.text.replace("None has no limit", "empty has no limit")
        if key.default in (None, "", (), {}):
            shown = ""
        else:
            shown = str(key.default).lower() if isinstance(key.default, bool) else str(key.default)
        yield key.name, text, shown


def action():
    lines = [HEAD + "inputs:"]
    for name, (text, default) in CREDENTIALS.items():
        lines += entry(name, text, default)
    for name, text, default in keys():
        lines += entry(name, f"{text.rstrip('.')} (default {default})." if default else text, "")
    lines.append("outputs:")
    for name, text in OUTPUTS.items():
        lines += [f"  {name}:", f"    description: {json.dumps(text)}"]
    return "\n".join([*lines, "runs:", "  using: docker", "  image: Dockerfile", ""])


def entry(name, text, default):
    return [
        f"  {name}:",
        f"    description: {json.dumps(text)}",
        "    required: false",
        f"    default: {default or chr(34) * 2}",
    ]


def page():
    rows = [f"| `{name}` | {text} | {f'`{default}`' if default else ''} |" for name, text, default in keys()]
    return "\n".join([
        "# Configuration", "",
        "Read once, from the commit a loop starts from: `.github/autonomous-loop.toml`, or",
        "`[tool.autonomous-loop]` in `pyproject.toml`. Every key is an input of the action too, which",
        "wins, and can be given to `run` as `--set KEY=VALUE`. Unknown keys are errors. API keys, tokens",
        "and addresses are inputs only.", "",
        "| key | what | default |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


def schema():
    """What `proofs/<feature>.json` on the state branch holds; the docstrings say what the fields mean."""
    made = Proof.model_json_schema(mode="serialization")
    for model in (made, *made["$defs"].values()):
        model["description"] = inspect.cleandoc(model.get("description", "")).split("\n\nAttributes:")[0]
        for name, text in meanings(model["title"]).items():
            if name in model.get("properties", {}):
                model["properties"][name]["description"] = text
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Proof",
        "description": "proofs/<feature>.json on a loop's state branch. " + made["description"],
    }
    return json.dumps(head | {key: one for key, one in made.items() if key not in head}, indent=1) + "\n"


def meanings(title):
    """Field name to text, from a model's docstring."""
    said = inspect.getdoc(getattr(proof, title, None)) or ""
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", said, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def main():
    made = {
        "action.yml": action(),
        "docs/configuration.md": page(),
        "docs/proof.schema.json": schema(),
    }
    stale = [
        name for name, text in made.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != text
    ]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"not up to date: {', '.join(stale)}. Run: python scripts/tables.py")
        return
    for name in stale:
        (ROOT / name).write_text(made[name])


if __name__ == "__main__":
    main()
