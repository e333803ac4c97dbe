#!/usr/bin/env bash
# Is this image fit to be the action's? Usage: tests/image.sh IMAGE
# shellcheck disable=SC2016 # what runs in the image is quoted for its shell, not for this one
set -euo pipefail
image=$1
inside() { docker run --rm --network none "$@"; }
inside "$image" --version | grep "autonomous-loop, version"
for command in session finish; do
  inside --entrypoint "/opt/autonomous-loop/$command" "$image" --help | grep -q "Usage:" || { echo "no $command" >&2; exit 1; }
done
# The hands, as any free user: their own interpreter, a browser, and what projects are built with.
inside --user 58123:58123 --entrypoint sh "$image" -ec '
  /opt/autonomous-loop/tools/bin/python -c "import pytest, playwright"
  for tool in node npm chromium-headless-shell git uv gcc make jq; do "$tool" --version | head -n 1; done
  ! touch /opt/autonomous-loop/loop/x 2>/dev/null'
# Nothing of the image belongs to the hands, and the program is compiled already.
inside --entrypoint sh "$image" -ec '
  test -z "$(find / -xdev \( -uid 58000 -o -gid 58000 \) -print -quit)"
  find /opt/autonomous-loop/loop/lib -path "*/autonomous_loop/__pycache__/cli.*.pyc" | grep -q .'
echo "fit"
