#!/usr/bin/env bash
# Makes the commit of a release, on no branch, and tags it: every docker action names the built image by its digest.
# Usage: scripts/release-commit.sh docker://IMAGE@sha256:... vX.Y.Z
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1 tag=$2
[[ $image =~ ^docker://[a-z0-9./_-]+@sha256:[0-9a-f]{64}$ ]] || { echo "no digest in '$image'" >&2; exit 2; }
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "'$tag' is not vX.Y.Z" >&2; exit 2; }
files=(action.yml plan/action.yml prove/action.yml)
sed -i -E "s|^  image: (\.\./)?Dockerfile\$|  image: $image|" "${files[@]}"
for file in "${files[@]}"; do grep -qxF "  image: $image" "$file" || { echo "$file names no Dockerfile" >&2; exit 1; }; done
export GIT_AUTHOR_NAME="github-actions[bot]" GIT_AUTHOR_EMAIL="41898282+github-actions[bot]@users.noreply.github.com"
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
git add "${files[@]}"
git commit --quiet --message "Release $tag"
git tag --annotate --message "$tag" "$tag"
