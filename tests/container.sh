#!/usr/bin/env bash
# Builds the action's image on a machine that reaches no image registry: a container engine of its own, a base
# image made from Debian's packages, then the committed Dockerfile. Usage: tests/container.sh FOLDER IMAGE
# Leaves the engine running; its pid stands in FOLDER/pid, and tests/container.sh --stop FOLDER ends it. What the
# image was built from lies in FOLDER/action, for those who build it again (as act does for every job).
set -euo pipefail
if [ "$1" = --stop ]; then
  folder=$2
  [ -f "$folder/pid" ] && kill "$(cat "$folder/pid")" && while [ -f "$folder/pid" ]; do sleep 0.2; done
  umount "$folder/exec/netns/default" 2>/dev/null || true
  exit 0
fi
folder=$1 image=$2
base=python:3.13-slim-trixie
mkdir -p "$folder"
export DOCKER_HOST="unix://$folder/docker.sock" DOCKER_BUILDKIT=0
if ! docker version >/dev/null 2>&1; then
  dockerd --host "$DOCKER_HOST" --iptables=false --bridge=none --data-root "$folder/root" --exec-root "$folder/exec" \
    --pidfile "$folder/pid" >"$folder/log" 2>&1 &
  for _ in $(seq 100); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
fi
if ! docker image inspect "$base" >/dev/null 2>&1; then
  # shellcheck disable=SC2016 # mmdebstrap gives its hooks "$1"
  mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates,python3,python3-pip,python3-venv \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED; ln -s /usr/bin/python3 "$1"/usr/local/bin/python; ln -s /usr/bin/pip3 "$1"/usr/local/bin/pip' \
    --customize-hook='copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/' trixie "$folder/base.tar"
  docker import -c 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    "$folder/base.tar" "$base" >/dev/null
  rm -f "$folder/base.tar"
fi
# What a checkout of the action holds, and no more: neither .git nor .venv, nor what is ignored.
rm -rf "$folder/action" && mkdir "$folder/action"
git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$folder/action"
docker build --network host --quiet -t "$image" "$folder/action"
