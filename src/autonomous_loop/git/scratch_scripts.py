"""What git is told to do in the scratch clone: shell scripts that run as hands, and how bytes go in and out.

Each operation is one script, on a git folder made anew for it and an index the hands cannot write: whatever
configuration, index or object they left behind, none of it is met. Standard input is the concatenation of
parts whose lengths are arguments (see `Call`); standard output is the lengths of the answer's parts, a line
each, and the parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.autocrlf": "false",
    "core.bare": "false",
    "core.fileMode": "true",
    "core.symlinks": "true",
    # The change time of a file is what the hands cannot forge: the index is believed for it.
    "core.trustctime": "true",
    "core.checkStat": "default",
    "core.excludesFile": "/dev/null",
    "core.attributesFile": "/dev/null",
}
ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_SETTINGS.values())},
}
# $1: the git folder of this script alone; $2: the index lent to it. `part` takes the next part of standard
# input.
_PRELUDE = """\
set -e
d=$1 whole=$2; shift 2
old=("${d%/*}"/take-*)
[ ${#old[@]} -lt 8 ] || rm -rf -- "${old[@]}"
mkdir -p "$d/objects/info" "$d/refs"
echo 'ref: refs/heads/none' > "$d/HEAD"
part() { head -c "$1"; }
g() { git --git-dir="$d" --work-tree=. "$@"; }
tiny() { GIT_INDEX_FILE=$d/tiny g "$@"; }
whole() { GIT_INDEX_FILE=$whole g "$@"; }
answer() { cd "$d"; stat -c %s "$@"; cat "$@"; }
"""
# A folder the hands made unreadable or unwritable is still theirs: they can open it up again.
_OPEN_UP = "chmod -R u+rwX . 2>/dev/null || :\n"
# Remove and write the given paths, and no others. $1 paths to remove, $2 folders that may be empty then,
# $3 rows of an index, $4 a pack of their blobs; lengths all.
_APPLY = """\
[ "$1" = 0 ] || part "$1" | xargs -0 -r rm -rf --
[ "$2" = 0 ] || part "$2" | xargs -0 -r rmdir -p --ignore-fail-on-non-empty -- 2>/dev/null || :
if [ "$3" != 0 ]; then
  part "$3" | tiny update-index -z --index-info
  part "$4" | g unpack-objects -q
  tiny checkout-index -a -f -q
fi
shift 4
"""
# Which files are not as the index says, and which are not in it; the two looks go on side by side. Arguments
# say how untracked ones are shown.
_SCAN = """\
whole diff-files -z --raw > "$d/modified" 2>> "$d/complaints" &
whole ls-files -o --exclude-standard -z "$@" > "$d/untracked" 2>> "$d/complaints"
wait $!
"""
_FOUND = "modified untracked complaints"
# The content of some paths, as far as they are files: $1 the length of their list. One with an obstacle on
# its way (a link, a folder in its place) fails them all: then one after the other.
_HASH = """\
: > "$d/rows"
if [ "$1" != 0 ]; then
  part "$1" > "$d/list"
  if ! tiny update-index --add --remove --replace -z --stdin < "$d/list" 2>/dev/null; then
    while IFS= read -r -d '' path; do
      printf '%s\\0' "$path" | tiny update-index --add --remove --replace -z --stdin 2>/dev/null || :
    done < "$d/list"
  fi
  tiny ls-files -s -z > "$d/rows"
fi
shift
"""
_CLEAN = "whole clean -ffdq\n"
# All of a tree: $1 its id, $2 the length of the paths to remove; the rest of the input is its pack.
_FILL = """\
whole=$d/whole
part "$2" | xargs -0 -r rm -rf --
g index-pack --stdin > /dev/null
whole read-tree "$1"
whole checkout-index -a -f -u -q
"""
# For the model's own use of git: one commit, no history, nothing of the loop's. Never read again. $3: the
# folder its objects are in.
_OWN = """\
rm -rf -- "${3%/*}"/store-*
mkdir -p "$3"
mv "$d/objects" "$3/objects"
git init -q --template= --initial-branch=work .
mkdir -p .git/info
echo "$3/objects" > .git/objects/info/alternates
cp "$d/whole" .git/index
git -c user.name=base -c user.email=base@localhost commit -q --no-verify --allow-empty -m "the checkpoint"
"""
# The new state of some paths: $1 the length of those to forget, $2 of those to read.
_UPDATE = """\
cp "$whole" "$d/whole"; whole=$d/whole
part "$1" > "$d/gone"
part "$2" > "$d/list"
tiny update-index --add --replace -z --stdin < "$d/list"
tiny ls-files -s -z > "$d/rows"
tiny ls-files --format='%(objectname)' | sort -u | g pack-objects --stdout -q > "$d/pack"
whole update-index --force-remove -z --stdin < "$d/gone"
whole update-index --add --replace -z --stdin < "$d/list"
xargs -0 -r stat --printf '%Z %n\\0' -- < "$d/list" > "$d/times"
answer rows pack times whole
"""
# Bytecode that a run of Python left behind is nobody's work, also where the project does not ignore it.
NOBODYS_WORK = ("-x", "__pycache__/", "-x", "*.py[co]")


@dataclass(frozen=True, slots=True)
class Call:
    """A script with its arguments and its standard input.

    Attributes:
        what: for messages: the work tree cannot be so.
        script: for bash.
        index: path of the index it is lent.
        arguments: the others.
        stdin: the parts.
    """

    what: str
    script: str
    index: str
    arguments: tuple[str, ...]
    stdin: bytes

    def argv(self, git_dir: str) -> list[str]:
        """The command, on a git folder that does not exist yet."""
        script = _PRELUDE + self.script
        return ["bash", "-o", "pipefail", "-c", script, "scratch", git_dir, self.index, *self.arguments]


@dataclass(frozen=True, slots=True)
class Writing:
    """Paths to remove and to write.

    Attributes:
        gone: paths that shall not be.
        rows: mode and blob by path, of those that shall.
        pack: the blobs.
    """

    gone: Sequence[str] = ()
    rows: Mapping[str, tuple[str, str]] | None = None
    pack: bytes = b""

    def parts(self) -> tuple[bytes, ...]:
        """For `_APPLY`."""
        above = {path.rpartition("/")[0] for path in self.gone} - {""}
        rows = [f"{mode} {sha}\t{path}" for path, (mode, sha) in (self.rows or {}).items()]
        # The deepest first: a folder goes when all below it are gone.
        return joined(self.gone), joined(sorted(above, reverse=True)), joined(rows), self.pack


def write(writing: Writing) -> Call:
    """Bring some paths into their state; answers nothing."""
    return _call("switched", _APPLY, "", writing.parts())


def write_and_scan(writing: Writing, index: str, *, clean: bool, folders: bool) -> Call:
    """The same, then look at everything; answers modified (raw), untracked, complaints.

    Args:
        index: what the work tree is compared with.
        clean: first remove what is neither in the index nor ignored.
        folders: an untracked folder stands for what is in it, and is shown even where it is empty (or holds
            ignored files alone).
    """
    script = (_CLEAN if clean else "") + _APPLY + _SCAN + f"answer {_FOUND}\n"
    return _call("switched", script, index, writing.parts(), ("--directory",) if folders else ())


def look(index: str, paths: Sequence[str], *, open_up: bool) -> Call:
    """Compare the work tree with `index`; answers modified (raw), untracked, complaints, rows of `paths`."""
    script = (_OPEN_UP if open_up else "") + _HASH + _SCAN + f"answer {_FOUND} rows\n"
    return _call("taken", script, index, (joined(paths),), NOBODYS_WORK)


def update(index: str, gone: Sequence[str], paths: Sequence[str]) -> Call:
    """Read `paths` anew; answers rows, a pack of their blobs, change times (s), and the index with them."""
    return _call("taken", _UPDATE, index, (joined(gone), joined(paths)))


def fill(tree: str, pack: bytes, gone: Sequence[str]) -> Call:
    """Write all of a tree over whatever there is, keeping ignored files; answers its index."""
    script = _OPEN_UP + _FILL + _CLEAN + "answer whole\n"
    removed = joined(gone)
    return Call("switched", script, "", (tree, str(len(removed))), removed + pack)


def fill_empty(tree: str, pack: bytes, store: str) -> Call:
    """Write a tree to an emptied work tree, with a git folder for the model; answers its index.

    Args:
        store: a folder for the model's git's objects, made here.
    """
    script = _OPEN_UP + "find . -mindepth 1 -delete\n" + _FILL + _OWN + "answer whole\n"
    return Call("opened", script, "", (tree, "0", store), pack)


def joined(rows: Sequence[str]) -> bytes:
    """Each ended by NUL."""
    return "".join(f"{row}\0" for row in rows).encode("utf-8", "surrogateescape")


def parted(answer: bytes, count: int) -> list[bytes]:
    """The parts of an answer.

    Raises:
        ValueError: it is not one.
    """
    *lengths, rest = answer.split(b"\n", count)
    parts = []
    for length in map(int, lengths):
        parts.append(rest[:length])
        rest = rest[length:]
    if rest or len(parts) != count:
        raise ValueError("the parts are not as long as they say")
    return parts


def split(data: bytes) -> list[str]:
    """What NUL ended."""
    return data.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _call(what: str, script: str, index: str, parts: Sequence[bytes], options: Sequence[str] = ()) -> Call:
    sizes = tuple(str(len(part)) for part in parts)
    return Call(what, script, index, (*sizes, *options), b"".join(parts))
