"""The two hooks every bare repository runs, and what tells them what to do."""

from pathlib import Path

REFUSE_WORKFLOWS = "FORGE_REFUSE_WORKFLOWS"
"""Set to 1 for a push by a token that may not touch workflow files."""
PROTECTED_REF = "FORGE_PROTECTED_REF"
"""A ref that no push may move."""
REFUSED = "FORGE_REFUSED"
"""The file that receives a line `ref reason` for what was refused."""
RECEIVED = "FORGE_RECEIVED"
"""The file that receives a line `before after ref` for each ref that did move."""

# GitHub looks at each new commit, so that a workflow file pushed and removed again is refused as well.
_PRE_RECEIVE = """#!/bin/sh
while read -r before after ref; do
  if [ -n "$FORGE_PROTECTED_REF" ] && [ "$ref" = "$FORGE_PROTECTED_REF" ]; then
    echo "error: GH006: Protected branch update failed for $ref." >&2
    echo "$ref protected branch hook declined" >>"$FORGE_REFUSED"
    exit 1
  fi
  case "$after" in *[!0]*) ;; *) continue ;; esac
  [ "$FORGE_REFUSE_WORKFLOWS" = 1 ] || continue
  file=$(git rev-list "$after" --not --all | git diff-tree --stdin --root -c -r --no-commit-id --name-only \
    -- .github/workflows | head -n 1)
  if [ -n "$file" ]; then
    echo "$ref refusing to allow a GitHub App to create or update workflow \\`$file\\`" \
      "without \\`workflows\\` permission" >>"$FORGE_REFUSED"
    exit 1
  fi
done
"""

_POST_RECEIVE = """#!/bin/sh
[ -z "$FORGE_RECEIVED" ] || cat >>"$FORGE_RECEIVED"
"""


def write_hooks(folder: Path) -> None:
    """Write the hooks into a folder that repositories name as their `core.hooksPath`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("pre-receive", _PRE_RECEIVE), ("post-receive", _POST_RECEIVE)):
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
