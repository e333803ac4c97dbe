"""Writes action.yml and what is tabled in docs/ from the code it speaks of; `--check` only compares."""

import inspect
import json
import re
import sys
from pathlib import Path

from autonomous_loop.domain import proof
from autonomous_loop.domain.proof import Proof
from autonomous_loop.github.inputs import HostInputs, JobInputs
from autonomous_loop.github.workflow import WORKFLOW
from autonomous_loop.report.configuration import keys as every_key
from autonomous_loop.sandbox import grants

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
name: {name}
author: Autonomous Loop
description: >-
  Takes one issue to a reviewable pull request, over as many CI jobs as it needs. A feature passes only with
  proof: its tests fail before the change and pass after it.
branding:
  icon: repeat
  color: purple
# Made by scripts/tables.py. An input that is also a configuration key overrides the project's own
# configuration (.github/autonomous-loop.toml). An empty input counts as not given.
{where}"""
HOST = """\
# For jobs whose own steps set up the toolchain (setup-node, services, caches). The loop is root through the
# runner's sudo. The sandbox is another user, with the job's toolchain on PATH.
"""
STEPS = """\
runs:
  using: composite
  steps:
    - name: Install
      shell: bash
      env:
        ACTION: ${{ github.action_path }}
      run: '"$ACTION/install.sh" "${AUTONOMOUS_LOOP_FOLDER:-/opt/autonomous-loop}"'
    - name: Session
      id: session
      shell: bash
      env:
        ACTION: ${{ github.action_path }}
        AUTONOMOUS_LOOP_INPUTS: ${{ toJSON(inputs) }}
      run: exec python3 -I "$ACTION/run.py" "${AUTONOMOUS_LOOP_FOLDER:-/opt/autonomous-loop}" session
    # Completes what a killed session left, also after a cancel or a failure.
    - name: Finish
      if: always()
      shell: bash
      env:
        ACTION: ${{ github.action_path }}
        AUTONOMOUS_LOOP_INPUTS: ${{ toJSON(inputs) }}
      run: exec python3 -I "$ACTION/run.py" "${AUTONOMOUS_LOOP_FOLDER:-/opt/autonomous-loop}" finish
"""
RUNS = """\
runs:
  using: docker
  image: Dockerfile
  # Runs `autonomous-loop finish` in a new container of the same image, also after a cancel or a failure.
  post-entrypoint: /opt/autonomous-loop/finish
  post-if: always()
"""
OUTPUTS = {
    "result": "How the session ended, such as complete, time, blocked, waiting, closed or ignored.",
    "loop": "Id of the loop, such as issue-12.",
    "session": "Number of the session in its loop.",
    "features-passing": "Number of features that have a proof.",
    "features-total": "Number of features in the loop.",
    "pull-request": "Number of the pull request. Empty until it exists.",
    "total-tokens": "Tokens that the whole loop has used, including cache reads.",
    "cost-usd": "Estimated cost of the whole loop so far, in US dollars.",
    "continues": "true if the session started the next one, else false.",
}


def keys():
    """Name, text and default of every configuration key."""
    for key in every_key():
        if key.default in (None, "", (), {}):
            shown = ""
        else:
            shown = str(key.default).lower() if isinstance(key.default, bool) else str(key.default)
        yield key.name, key.text, shown


def inputs(model):
    lines = ["inputs:"]
    for name, field in model.model_fields.items():
        lines += entry(name.replace("_", "-"), field.description, field.default)
    for name, text, default in keys():
        lines += entry(name, f"{text} Default: {default}." if default else text, "")
    return lines


def action():
    """The container action."""
    lines = [HEAD.format(name="Autonomous Loop", where="") + "\n".join(inputs(JobInputs)), "outputs:"]
    for name, text in OUTPUTS.items():
        lines += [f"  {name}:", f"    description: {json.dumps(text)}"]
    return "\n".join([*lines, RUNS])


def host():
    """The composite action: the same program, on the job's own machine."""
    lines = [
        HEAD.format(name="Autonomous Loop on the Job's Machine", where=HOST) + "\n".join(inputs(HostInputs))
    ]
    lines.append("outputs:")
    for name, text in OUTPUTS.items():
        lines += [f"  {name}:", f"    description: {json.dumps(text)}"]
        lines.append("    value: ${{ steps.session.outputs." + name + " }}")
    return "\n".join([*lines, STEPS])


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
        "Put the configuration into `.github/autonomous-loop.toml`, or into `[tool.autonomous-loop]` in",
        "`pyproject.toml`. A loop reads it once, from the commit it starts from. Every key is also an input",
        "of the action, and the input wins. On the command line, use `--set KEY=VALUE`. An unknown key is an",
        "error. API keys, tokens and addresses are inputs only. Numbers must be finite: leave a key out",
        "instead of writing `inf`.", "",
        "| key | what it does | default |", "|---|---|---|", *rows, "",
        "## What a job lends its tests", "",
        "The code and its tests run in the sandbox, as another user. This user can read the system's folders",
        "(`/usr`, `/opt`, ...), but no home folder. A virtual environment in any other place fails with",
        "`Permission denied`. To lend more, set these variables in the environment of the command (`run`,",
        "`prove`, `audit`, `session`). On GitHub, use the inputs of [`host/action.yml`](../host/action.yml).",
        "Other users must be able to enter every folder above a lent one: a home folder of mode 0700 keeps",
        "the sandbox out, whatever you lend below it.", "",
        "| variable | input | what it does |", "|---|---|---|",
        f"| `{grants.READABLE}` | `readable` | More folders that the sandbox may read and run, one a line. |",
        f"| `{grants.PATH}` | `path` | Folders for the front of the sandbox's PATH, one a line. |",
        f"| `{grants.VARIABLES}` | `env` | Variables for the sandbox, a JSON object. Never a secret. |", "",
    ])  # fmt: skip


def readme():
    """The README with its table of the inputs people set first, and the workflow to copy."""
    rows = [
        f"| `{name.replace('_', '-')}` | {field.description} |"
        for name, field in JobInputs.model_fields.items()
    ]
    table = "\n".join(["| input | what it does |", "|---|---|", *rows])
    workflow = (ROOT / WORKFLOW).read_text()
    text = (ROOT / "README.md").read_text()
    for name, made in {"inputs": table, "workflow": f"```yaml\n{workflow}```"}.items():
        begin, end = f"<!-- {name}: made by scripts/tables.py -->\n", f"\n<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        text = head + begin + made + end + rest.partition(end)[2]
    return text


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
        "host/action.yml": host(),
        "README.md": readme(),
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
