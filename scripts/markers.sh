#!/usr/bin/env bash
# Which tests can run here, as the rest of a marker expression; what is left out is said, never silently skipped.
if [ "$(id -u)" != 0 ]; then
  echo "left out: tests that need another user for the hands (run as root, or in CI)" >&2
  echo "and not root"
elif ! command -v dockerd >/dev/null || ! command -v mmdebstrap >/dev/null; then
  echo "left out: the container tests (they need dockerd and mmdebstrap; .ci/run installs both)" >&2
  echo "and not container"
fi
