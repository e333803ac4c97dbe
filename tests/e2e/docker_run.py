"""What GitHub's runner does with a docker action: `docker run`, with its mounts, its user, its environment.

A script that stands between the embedded GitHub's player (which makes a job's folders, sets its variables and
sends a cancel's signals) and the engine: `docker_run.py SETTINGS COMMAND...`, SETTINGS being JSON:

    docker_host  image  entrypoint (empty: the image's)  name (of the container, before the run's id)
    socket       stands for /var/run/docker.sock
    reports      a folder: what is to be said at the end is written to NAME-RUN.json in it
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

RUNNER = 1001
"""The user of GitHub's hosted runners: the checkout and the command files are theirs."""
FOLDERS = ("workspace", "home", "workflow", "file_commands", "runner_temp")
ITS_OWN = {"PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}


def main() -> int:
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    job = Path(os.environ["GITHUB_WORKSPACE"]).parent
    # A checkout that a step before has made, and the file in which actions/checkout keeps its credential.
    (job / "workspace" / "README.md").write_text("checked out\n")
    (job / "runner_temp" / "git-credentials.config").write_text("extraheader = a credential\n")
    subprocess.run(["chown", "-R", f"{RUNNER}:{RUNNER}", *(job / name for name in FOLDERS)], check=True)
    inside = {
        name: value.replace(f"{job}/", "/github/")
        for name, value in os.environ.items()
        if name not in ITS_OWN
    }
    name = f"{settings['name']}-{inside['GITHUB_RUN_ID']}"
    started = [
        "docker", "run", "--rm", "--name", name, "--network", "host", "--workdir", "/github/workspace",
        *(["--entrypoint", settings["entrypoint"]] if settings["entrypoint"] else []),
        *(word for variable in inside for word in ("-e", variable)),
        "-v", f"{settings['socket']}:/var/run/docker.sock",
        *(word for folder in FOLDERS for word in ("-v", f"{job / folder}:/github/{folder}")),
        settings["image"], *command,
    ]  # fmt: skip
    client = {"PATH": os.environ["PATH"], "DOCKER_HOST": settings["docker_host"]}
    process = subprocess.Popen(started, env={**inside, **client})
    signals: list[str] = []

    def pass_on(number: int, _: object) -> None:
        # The client hands it to the container's first process.
        signals.append(signal.Signals(number).name)
        process.send_signal(number)

    signal.signal(signal.SIGINT, pass_on)
    signal.signal(signal.SIGTERM, pass_on)
    code = process.wait()
    roots = [str(path.relative_to(job)) for path in sorted(job.rglob("*")) if path.lstat().st_uid != RUNNER]
    report = {"code": code, "signals": signals, "not_the_runners": [one for one in roots if one != "pid"]}
    (Path(settings["reports"]) / f"{name}.json").write_text(json.dumps(report))
    return code


if __name__ == "__main__":
    sys.exit(main())
