"""A loop that is not root: the hands are its own user, and Landlock alone keeps them apart."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox import landlock
from autonomous_loop.sandbox import sandbox as module
from autonomous_loop.sandbox.sandbox import ProcessSandbox

pytestmark = pytest.mark.root  # to become somebody who is not

# Runs as the other user: first naively (a plain child), then by the hands.
SESSION = """
import asyncio, json, os, subprocess, sys
from pathlib import Path
from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.sandbox.self_test import self_test

home = os.environ["HOME"]
Path(home, ".netrc").write_text("planted-secret")
loop = os.getpid()
attacks = {
    "home": f"cat {home}/.netrc",
    "environment": f"cat /proc/{loop}/environ",
    "write": f"echo evil >{home}/.profile",
    "signal": f"kill -0 {loop} && echo planted-secret",
}
found = {"naive": {}, "sandbox": {}}

def seen(output):
    return b"planted-secret" in output or Path(home, ".profile").exists()

async def main():
    for name, attack in attacks.items():
        found["naive"][name] = seen(subprocess.run(["sh", "-c", attack], capture_output=True).stdout)
        Path(home, ".profile").unlink(missing_ok=True)
    Path(f"/dev/shm/left-{os.getpid()}-before").write_text("")
    hands = await ProcessSandbox.create(base=None, path=[], env={}, read_paths=[], unsandboxed=False,
                                 chrome_path=None, browser_python=None)
    found["user"], found["landlock"] = hands.uid, hands.landlock
    for name, attack in attacks.items():
        found["sandbox"][name] = seen((await hands.run(["sh", "-c", attack], timeout_s=10)).stdout)
    await self_test(hands, secrets=["planted-secret"], forbidden_paths=[home, home + "/.netrc"])
    try:
        await self_test(hands, secrets=[], forbidden_paths=["/etc/passwd"])
    except SandboxError:
        found["self-test"] = "finds what is open"

    own = subprocess.Popen(["sleep", "60"])
    await hands.write_file("a/b", b"x")
    await hands.shell("(setsid sh -c 'echo $$ >pid; exec sleep 60' >log 2>&1 &)"
                      "; until [ -s pid ]; do sleep 0.05; done", timeout_s=60)
    daemon = int(await hands.read_file("pid", max_bytes=20))
    os.kill(daemon, 0)
    await hands.end_all()
    found["daemon lives"] = os.path.exists(f"/proc/{daemon}")
    found["own child lives"] = own.poll() is None
    own.kill()
    own.wait()
    found["read again"] = (await hands.read_file("a/b", max_bytes=10)).decode()
    left = f"/dev/shm/left-{os.getpid()}"
    for name in ("a", "b"):
        await hands.run(["sh", "-c", f"echo >{left}-{name}"], timeout_s=10)
    program = f"import time; file = open('{left}-b'); print(flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    other.stdout.readline()
    Path(home, "own").write_text("")
    await hands.run(["sh", "-c", "echo >$HOME/c"], timeout_s=10)
    await hands.empty()
    found["left"] = [name for name in ("before", "a", "b") if os.path.exists(f"{left}-{name}")]
    found["own file"] = os.path.exists(home + "/own")
    found["home"] = (await hands.run(["sh", "-c", "ls -A $HOME"], timeout_s=10)).text
    other.kill()
    other.wait()
    os.unlink(f"{left}-b")
    os.unlink(f"{left}-before")
    await hands.close()
    found["folder left"] = os.path.exists(hands.work)
    fenced = await ProcessSandbox.create(base=None, path=[], env={}, read_paths=[], unsandboxed=False,
                                  chrome_path=None, browser_python=None, fenced=True)
    await self_test(fenced, secrets=[], forbidden_paths=[])
    serve = "import socket; s = socket.create_server(('127.0.0.1', 0)); " \
            "socket.create_connection(s.getsockname()); print('reached')"
    found["fenced"] = (await fenced.run([fenced.python, "-c", serve], timeout_s=10)).text
    await fenced.close()

asyncio.run(main())
print(json.dumps(found))
"""


@pytest.fixture
def home():
    folder = Path(tempfile.mkdtemp(prefix="hands-test-home-"))
    os.chown(folder, 59120, 59120)
    yield folder
    shutil.rmtree(folder)


def test_landlock_keeps_the_hands_from_the_home_and_the_loop(home, public):
    script = public / "session.py"
    script.write_text(SESSION)
    become = ["setpriv", "--reuid=59120", "--regid=59120", "--clear-groups", "--inh-caps=-all"]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "KEY": "planted-secret"}
    done = subprocess.run(
        [*become, sys.executable, "-W", "error", str(script)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {
        "naive": {"home": True, "environment": True, "write": True, "signal": True},
        "sandbox": {"home": False, "environment": False, "write": False, "signal": False},
        "user": None,
        "landlock": landlock.landlock_abi(),
        "self-test": "finds what is open",
        "daemon lives": False,
        "own child lives": True,
        "read again": "x",
        # What was there before the hands, or another program of this user's has open, is not theirs.
        "left": ["before", "b"],
        "own file": True,
        "home": "",
        "folder left": False,
        "fenced": "reached\n",
    }
    assert found["landlock"] >= 1


@pytest.mark.parametrize("agreed", [False, True])
async def test_with_neither_root_nor_landlock_a_person_must_agree(monkeypatch, agreed):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(module, "landlock_abi", lambda: 0)

    async def create():
        return await ProcessSandbox.create(
            base=None, path=[], env={}, read_paths=[], unsandboxed=agreed,
            chrome_path=None, browser_python=None,
        )  # fmt: skip

    if agreed:
        sandbox = await create()
        assert (await sandbox.run(["echo", "runs"], timeout_s=10)).stdout == b"runs\n"
        await sandbox.close()
    else:
        with pytest.raises(SandboxError, match="not root, and this kernel has no Landlock") as refused:
            await create()
        assert "--unsandboxed" in refused.value.hint
