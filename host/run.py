"""Starts the program from a job's own machine: as root, with an environment that is listed here and no more.

Usage: python3 -I run.py FOLDER COMMAND. Runs twice: as the job's user, and again by sudo. Secrets travel by
environment, never as arguments; sudo keeps only the variables that are named to it.
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

# What the runner tells a step, and tokens of its services that the loop may use, where a step has them.
RUNNER = (
    "CI", "GITHUB_ACTIONS", "GITHUB_ACTOR", "GITHUB_API_URL", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH",
    "GITHUB_GRAPHQL_URL", "GITHUB_JOB", "GITHUB_OUTPUT", "GITHUB_REF", "GITHUB_REPOSITORY",
    "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID", "GITHUB_SERVER_URL", "GITHUB_SHA", "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_TRIGGERING_ACTOR", "GITHUB_WORKFLOW_REF", "GITHUB_WORKSPACE", "RUNNER_TEMP",
    "ACTIONS_RESULTS_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
)  # fmt: skip
# What a job may set for the program itself: addresses and proxies of where it runs.
OWN = ("ANTHROPIC_BASE_URL", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
# What a job's cloud sign-in leaves, for the SDK to find.
CLOUD = (
    "ANTHROPIC_IDENTITY_TOKEN", "ANTHROPIC_IDENTITY_TOKEN_FILE",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
    "AWS_BEARER_TOKEN_BEDROCK", "AWS_ROLE_ARN", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "ANTHROPIC_AWS_API_KEY", "ANTHROPIC_AWS_WORKSPACE_ID",
    "ANTHROPIC_FOUNDRY_API_KEY", "ANTHROPIC_FOUNDRY_BASE_URL", "ANTHROPIC_FOUNDRY_RESOURCE",
    "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "CLOUD_ML_REGION",
    "ANTHROPIC_VERTEX_PROJECT_ID",
)  # fmt: skip
MADE = (
    "AUTONOMOUS_LOOP_INPUTS", "AUTONOMOUS_LOOP_HANDS_PATH", "AUTONOMOUS_LOOP_HANDS_READABLE",
    "AUTONOMOUS_LOOP_HANDS_ENV",
)  # fmt: skip
ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def lines(text: str) -> list[str]:
    """The lines that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def as_user(folder: str, command: str) -> NoReturn:
    """Gather what is handed on, and become root."""
    inputs = json.loads(os.environ["AUTONOMOUS_LOOP_INPUTS"])
    own = {name: os.environ[name] for name in (*RUNNER, *OWN, *CLOUD) if os.environ.get(name)}
    path = lines(inputs.pop("path", ""))
    readable = lines(inputs.pop("readable", ""))
    for one in path:
        if not open_to_all(one):
            sys.exit(f"autonomous-loop: the input path names {one}, where no other user can get to")
    lent = {}
    for name in lines(inputs.pop("env", "")):
        if name not in os.environ:
            sys.exit(f"autonomous-loop: the input env names {name}, which the job has not set")
        lent[name] = os.environ[name]
    # What earlier steps put on PATH (setup-node and its like), but for folders of the job's user alone.
    system = ROOT_PATH.split(":")
    path += [
        one for one in os.environ.get("PATH", "").split(":") if one.startswith("/") and one not in system
    ]
    own |= {
        "AUTONOMOUS_LOOP_INPUTS": json.dumps(inputs),
        "AUTONOMOUS_LOOP_HANDS_PATH": "\n".join(dict.fromkeys(one for one in path if open_to_all(one))),
        "AUTONOMOUS_LOOP_HANDS_READABLE": "\n".join(readable),
        "AUTONOMOUS_LOOP_HANDS_ENV": json.dumps(lent),
    }
    again = [sys.executable, "-I", str(Path(__file__).resolve()), folder, command]
    if os.geteuid() == 0:
        os.execve(again[0], again, own)
    own["PATH"] = ROOT_PATH
    names = ",".join(sorted(own))
    os.execvpe("sudo", ["sudo", "--non-interactive", f"--preserve-env={names}", "--", *again], own)


def open_to_all(folder: str) -> bool:
    """Whether another user can get there: a home folder is its owner's."""
    path = Path(folder)
    try:
        return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))
    except OSError:
        return False


def as_root(folder: str, command: str) -> NoReturn:
    """Become the program: inputs as the runner gives them to a container."""
    env = {name: os.environ[name] for name in (*RUNNER, *OWN, *CLOUD, *MADE) if name in os.environ}
    for name, value in json.loads(env.pop("AUTONOMOUS_LOOP_INPUTS")).items():
        env[f"INPUT_{name.upper()}"] = value
    env |= {"PATH": ROOT_PATH, "HOME": "/root", "LANG": "C.UTF-8", "AUTONOMOUS_LOOP_TOOLS": f"{folder}/tools"}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    os.chdir("/")
    program = f"{folder}/loop/bin/python"
    os.execve(program, [program, "-I", "-m", "autonomous_loop", command], env)


if __name__ == "__main__":
    begun = "AUTONOMOUS_LOOP_HANDS_ENV" in os.environ and os.geteuid() == 0
    (as_root if begun else as_user)(*sys.argv[1:3])
