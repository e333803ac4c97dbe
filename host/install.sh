#!/usr/bin/env bash
# Installs the program, and the hands' own tools, from this action's folder: hash-locked, root's, in a folder that
# every user can enter. A machine that has this version already keeps it. Usage: host/install.sh FOLDER
set -euo pipefail
folder=$1
source=$(cd "$(dirname "$0")/.." && pwd)
stamp=$(cat "$source"/requirements.lock "$source"/requirements-hands.lock | sha256sum | cut -c1-16)
if [ "$(id -u)" != 0 ]; then
  # Of the job's environment only what pip needs to find its packages.
  exec sudo --non-interactive --preserve-env=PIP_INDEX_URL,PIP_CERT,HTTPS_PROXY,HTTP_PROXY,NO_PROXY,SSL_CERT_FILE \
    -- "$0" "$@"
fi
python=
for candidate in /usr/bin/python3 /usr/local/bin/python3; do
  if "$candidate" -I -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate && break
  fi
done
if [ -z "$python" ]; then
  echo "::error::Autonomous Loop needs the machine's own Python 3.11 or newer, with venv (Debian: apt-get install python3-venv)"
  exit 2
fi
pip() { "$@" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore "${options[@]}"; }
if [ ! -e "$folder/.$stamp" ]; then
  umask 022
  rm -rf "$folder" && mkdir -p "$folder"
  "$python" -m venv "$folder/tools"
  options=(--require-hashes -r "$source/requirements-hands.lock") && pip "$folder/tools/bin/python"
  "$python" -m venv "$folder/loop"
  options=(--require-hashes -r "$source/requirements.lock") && pip "$folder/loop/bin/python"
fi
# The program itself is this action's version, whatever was here.
options=(--no-deps --no-build-isolation --force-reinstall "$source") && pip "$folder/loop/bin/python"
touch "$folder/.$stamp"
