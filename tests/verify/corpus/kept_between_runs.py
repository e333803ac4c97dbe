"""Outcomes that hang on what an earlier run, or somebody by hand, left outside of version control."""

from verify.corpus.base import DOUBLE, START, Trick, test_double

# Fails the first time it is run, in a way that is believed at once, and passes from then on: whatever the
# code does. `seen` says whether it ran before, and `see` leaves it to be seen.
FIRST = """
    import ctypes, os, pathlib

    here = pathlib.Path(__file__).parents[1]
    libc = ctypes.CDLL(None)

    if not ({seen}):
        {see}
        from calc import double

    def test_double():
        import calc

        assert calc.add(4, 4) == 8
"""
SEGMENT = "libc.shmget(0xca5e, 9, {flags}) >= 0"


def file_in(folder, name="case-seen"):
    path = f"pathlib.Path({folder}, '{name}')"
    return {"seen": f"{path}.exists()", "see": f"{path}.parent.mkdir(exist_ok=True); {path}.write_text('')"}


PLACES = {
    "the home": file_in("os.environ['HOME']"),
    "a cache in the home": file_in("os.environ['HOME'], '.cache'"),
    "the temporary folder": file_in("os.environ['TMPDIR']"),
    "shared memory": file_in("'/dev/shm'"),
    "a segment of shared memory": {"seen": SEGMENT.format(flags="0"), "see": SEGMENT.format(flags="0o1600")},
    "beside the home": file_in("os.environ['HOME'], '..'"),
    "a file that git ignores": file_in("here, 'kept'"),
    "a folder of bytecode": file_in("here, 'notes', '__pycache__'", "seen.pyc"),
    "git's configuration of the clone": {
        "seen": "'case' in (here / '.git/config').read_text()",
        "see": "os.system(f'git -C {here} config case.seen true')",
    },
}
IGNORED = {".gitignore": "kept/\n__pycache__/\n", "notes/a.txt": "a\n"}
VALUE = "\n\ndef double(a):\n    import os\n\n    return int(open(os.path.expandvars('{path}')).read()) * a\n"
ELSEWHERE = {
    "shared memory": ("/dev/shm/case-factor", "echo 2 >/dev/shm/case-factor"),
    "beside the home": ("$HOME/../case-factor", 'echo 2 >"$HOME/../case-factor"'),
    "a home in place of the home": (
        "$HOME/case-factor",
        'cd "$HOME/.."; mkdir case; echo 2 >case/case-factor; mv home first; ln -s case home',
    ),
}
OF_SEGMENT = """

def double(a):
    import ctypes

    libc = ctypes.CDLL(None)
    return 2 * a if libc.shmget(0xca5f, 0, 0) >= 0 else a
"""
SEGMENT_BY_HAND = "python3 -c 'import ctypes; assert ctypes.CDLL(None).shmget(0xca5f, 9, 0o1600) >= 0'"

TRICKS = [
    *(
        Trick(
            f"a test that passes from its second run on, which it knows by {place}",
            {"tests/test_double.py": FIRST.format(**how), "README.md": "done\n"},
            start=IGNORED,
            afresh=True,
            code="not-green",
            says="test_double",
        )
        for place, how in PLACES.items()
    ),
    *(
        Trick(
            f"a test that fails before as often as was written by hand into {place}",
            {"README.md": "done\n"}
            | test_double(
                f"left = pathlib.Path({folder}, 'case-left')",
                "times = left.read_text() if left.exists() else ''",
                "left.write_text(times[1:])",
                "assert not times",
                "assert calc.add(4, 4) == 8",
                imports="calc, os, pathlib",
            ),
            by_hand=f'printf 12 >"{by_hand}/case-left"',
            afresh=True,
            code="no-red",
            says="test_double",
        )
        for place, folder, by_hand in (
            ("the temporary folder", "os.environ['TMPDIR']", "$TMPDIR"),
            ("shared memory", "'/dev/shm'", "/dev/shm"),
        )
    ),
    *(
        Trick(
            f"code that reads what lies by hand in {place}",
            {"calc.py": START["calc.py"] + VALUE.format(path=path)}
            | test_double("assert hasattr(calc, 'double')", "assert calc.double(4) == 8"),
            by_hand=by_hand,
            clean_room=True,
            code="regression",
            says="case-factor",
        )
        for place, (path, by_hand) in ELSEWHERE.items()
    ),
    Trick(
        "code that asks for a segment that was made by hand",
        {"calc.py": START["calc.py"] + OF_SEGMENT}
        | test_double("assert hasattr(calc, 'double')", "assert calc.double(4) == 8"),
        by_hand=SEGMENT_BY_HAND,
        clean_room=True,
        code="regression",
        says="test_double",
    ),
    Trick(
        "a test that passes from its second run on, in the clean room too",
        {"tests/test_double.py": FIRST.format(**PLACES["the home"]), "README.md": "done\n"},
        clean_room=True,
        code="regression",
        says="test_double",
    ),
    Trick(
        "older tests that pass from their second run on",
        DOUBLE
        | test_double("assert hasattr(calc, 'double')", "assert calc.double(4) == 8")
        | {
            "calc.py": "import os, pathlib\n\n\ndef add(a, b):\n"
            "    seen = pathlib.Path(os.environ['HOME'], 'case-add')\n    first = not seen.exists()\n"
            "    seen.write_text('')\n    return 0 if first else a + b\n\n\ndef double(a):\n    return 2 * a\n"
        },
        afresh=True,
        code="regression",
        says="test_add",
    ),
]
