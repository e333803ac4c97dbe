"""The scripted model stands alone: `python -m scripted_model` needs nothing of the product."""

import json
import subprocess
import urllib.request

import alone

SCRIPT = """
planner:
  - turns:
      - tools: [{bash: {command: ls}}]
"""


def test_help_needs_no_product(tmp_path):
    done = subprocess.run(
        alone.command("scripted_model", tmp_path, "--help"), capture_output=True, text=True, check=True
    )
    assert "python -m scripted_model" in done.stdout


def test_a_script_is_served(tmp_path):
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT)
    with alone.running(alone.command("scripted_model", tmp_path, str(script)), "ANTHROPIC") as said:
        body = {
            "model": "claude-opus-5-5",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "List the files."}],
            "tools": [{"type": "bash_20250124", "name": "bash"}],
        }
        request = urllib.request.Request(
            f"{said['ANTHROPIC_BASE_URL']}/v1/messages",
            data=json.dumps(body).encode(),
            headers={
                "x-api-key": "any",
                "anthropic-version": "2023-06-01",
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            message = json.load(answer)
    (block,) = message["content"]
    assert (block["name"], block["input"]) == ("bash", {"command": "ls"})


def test_a_faulty_script_is_an_error_with_its_place(tmp_path):
    (tmp_path / "script.yaml").write_text("planner: []")
    done = subprocess.run(
        alone.command("scripted_model", tmp_path, str(tmp_path / "script.yaml")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "planner: " in done.stderr
    assert "What to do:" in done.stderr


def test_the_readmes_example_is_a_test_that_passes(tmp_path):
    given = alone.readme_example("scripted_model", tmp_path)
    done = subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
