"""The action's inputs: one model says them, the program reads no other, and host/ passes all of them on."""

import json
import subprocess
import sys

import pytest
import yaml

from autonomous_loop.config import LoopConfig
from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.action import read_inputs, read_settings
from autonomous_loop.github.inputs import HostInputs, JobInputs
from unit.test_public_surface import ROOT


class Asked(dict):
    """An environment that notes what is looked for."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return default


def declared(path):
    return set(yaml.safe_load((ROOT / path).read_text())["inputs"])


def test_no_input_is_a_configuration_key_as_well():
    assert not set(HostInputs.model_fields) & set(LoopConfig.model_fields)


def test_the_program_reads_no_input_that_the_action_does_not_declare():
    asked = Asked()
    read_inputs(asked)
    read = {name.removeprefix("INPUT_").lower() for name in asked.names}
    assert len(read) > len(LoopConfig.model_fields)
    assert read <= declared("action.yml")


def test_both_actions_declare_the_model_and_the_configuration():
    keys = {name.replace("_", "-") for name in LoopConfig.model_fields}
    job = {name.replace("_", "-") for name in JobInputs.model_fields}
    assert declared("action.yml") == job | keys
    assert declared("host/action.yml") == job | keys | {"path", "readable", "env"}


def test_settings_are_keys_an_input_of_its_own_wins():
    given = read_inputs({"INPUT_SETTINGS": "# ours\nmax-usd = 3\nmodel=a=b\n\n", "INPUT_MAX-USD": "2"})
    assert given.overrides == {"max_usd": "2", "model": "a=b"}
    with pytest.raises(ConfigurationError, match="the line 'max-usd'"):
        read_settings("max-usd")


@pytest.mark.root
def test_host_starts_the_program_with_a_listed_environment_and_inputs_as_a_container_has_them(tmp_path):
    folder = tmp_path / "program"
    (folder / "loop" / "bin").mkdir(parents=True)
    seen = tmp_path / "seen.json"
    program = folder / "loop" / "bin" / "python"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv[1:], dict(os.environ)], open({str(seen)!r}, 'w'))\n"
    )
    program.chmod(0o755)
    inputs = {"max-usd": "2", "github-token": "ghs_x", "path": "", "readable": "/srv", "env": "DATABASE_URL"}
    env = {
        "PATH": "/usr/bin:/bin:/opt/hosted/bin:relative", "AUTONOMOUS_LOOP_INPUTS": json.dumps(inputs),
        "DATABASE_URL": "postgresql://x", "GITHUB_REPOSITORY": "o/r", "NPM_TOKEN": "npm_x", "LD_PRELOAD": "",
    }  # fmt: skip
    run = [sys.executable, "-I", str(ROOT / "host" / "run.py"), str(folder), "session"]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    arguments, given = json.loads(seen.read_text())
    assert arguments == ["-I", "-m", "autonomous_loop", "session"]
    assert {name for name in given if name.startswith("INPUT_")} == {"INPUT_MAX-USD", "INPUT_GITHUB-TOKEN"}
    assert json.loads(given["AUTONOMOUS_LOOP_HANDS_ENV"]) == {"DATABASE_URL": "postgresql://x"}
    assert given["AUTONOMOUS_LOOP_HANDS_READABLE"] == "/srv"
    assert "NPM_TOKEN" not in given
    assert "DATABASE_URL" not in given
    assert given["GITHUB_REPOSITORY"] == "o/r"
    assert "relative" not in given["PATH"] + given["AUTONOMOUS_LOOP_HANDS_PATH"]
    missing = subprocess.run(
        run, env={**env, "AUTONOMOUS_LOOP_INPUTS": json.dumps({"env": "ABSENT"})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "names ABSENT, which the job has not set" in missing.stderr
