#!/usr/bin/env bash
# What the hands run: an interpreter with pytest and Playwright that another user may run, and a Chromium.
# The image brings both; this is for everywhere else. Prints nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
if [ "$(id -u)" = 0 ]; then tools=/var/cache/autonomous-loop/tools; else tools=${XDG_CACHE_HOME:-$HOME/.cache}/autonomous-loop/tools; fi
stamp=$tools/.$(sha256sum requirements-hands.lock | cut -c1-16)
if [ ! -e "$stamp" ]; then
  echo "installing the hands' tools into $tools" >&2
  rm -rf "$tools"
  mkdir -p "$tools"
  "$python" -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-hands.lock
  chmod -R go+rX "$tools"
  touch "$stamp"
fi

# Looked for as a session does.
browser() {
  .venv/bin/python -I - <<'PY'
import sys
from autonomous_loop.sandbox.toolchain import find_browser
from autonomous_loop.wiring.environment import RuntimeEnvironment
runtime = RuntimeEnvironment.from_environment()
sys.exit(find_browser(runtime.path, runtime.playwright_cache) is None)
PY
}
browser && exit 0
echo "no Chromium is installed: trying Playwright's own" >&2
timeout 120 "$tools/bin/python" -m playwright install --only-shell chromium >/dev/null 2>&1 && browser && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Playwright's download failed: trying the system's package" >&2
  apt-get update -qq >/dev/null 2>&1 || true
  for package in chromium-headless-shell chromium; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" fonts-dejavu-core >/dev/null 2>&1 \
      && browser && exit 0
  done
fi
cat >&2 <<'TEXT'
No Chromium could be found or installed. The sample project's browser tests need one.
  What to do: install Chromium or Google Chrome (Debian: apt-get install chromium; Fedora: dnf install chromium;
  macOS: brew install --cask chromium), then run the command again.
TEXT
exit 2
