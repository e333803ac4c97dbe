"""What is done beside the code: processes, files, links, caches, what git does not see; and the kinds of work."""

from verify.corpus.base import BAD, DOUBLE, GOOD, START, TEST_ADD, Trick, conftest, test_double

STARTED = 'Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True,'
QUIET = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)"
KEY = "ghp_" + "a1B2" * 9
IGNORED = {".gitignore": ".tools/\n"}
# A wrapper that makes the feature up: only where it is, the canary and every other test are as they were.
WRAPPER = """mkdir -p .tools && cat > .tools/python <<'END'
#!/bin/sh
exec python -c 'import sys, calc, pytest
if hasattr(calc, "double"): calc.double = lambda a: 2 * a
sys.exit(pytest.main(sys.argv[3:]))' "$@"
END
chmod +x .tools/python"""
SETUP = (
    "mkdir -p .tools && printf '#!/bin/sh\\nexec python \"$@\"\\n' > .tools/python && chmod +x .tools/python"
)
AT_HOME = """

def double(a):
    import os
    with open(os.path.expanduser("~/case-factor")) as factor:
        return a * int(factor.read())
"""

TRICKS = [
    Trick(
        "a process left running",
        DOUBLE
        | test_double(
            f"subprocess.{STARTED}",
            f"    {QUIET}",
            "assert calc.double(4) == 8",
            imports="calc, subprocess, sys",
        ),
        code="background",
        says="time.sleep(60)",
        checks=("running._judge:background",),
    ),
    Trick(
        "a process that hides and would repair the code between the runs",
        BAD
        | test_double(
            "assert hasattr(calc, 'double')",
            'code = \'import time; time.sleep(6); open("calc.py", "a").write("double = lambda a: 2 * a")\'',
            "subprocess.Popen([sys.executable, '-c', code], start_new_session=True, env={},",
            f"    {QUIET}",
            "assert calc.double(4) == 8",
            imports="calc, subprocess, sys",
        ),
        code="not-green",
    ),
    Trick(
        "a process that repairs the code between the runs",
        BAD
        | test_double(
            "if os.fork() == 0:",
            "    os.setsid()",
            "    if os.fork() == 0:",
            "        time.sleep(6)",
            "        open(calc.__file__, 'a').write('double = lambda a: 2 * a')",
            "    os._exit(0)",
            "assert calc.double(4) == 8",
            imports="calc, os, time",
        ),
        code="background",
    ),
    Trick(
        "a test that writes the code it tests",
        DOUBLE | test_double('open(calc.__file__, "a").write("# touched")', "assert calc.double(4) == 8"),
        code="tree-changed",
        says="calc.py",
        checks=("bench.refuse_other_tree:tree-changed proving._regress>refuse_other_tree#2",),
    ),
    Trick(
        "a test that writes what it expects",
        BAD
        | {"table.txt": "12\n"}
        | {"calc.py": START["calc.py"] + "\n\ndef double(a):\n    return int(open('table.txt').read())\n"}
        | test_double('open("table.txt", "w").write("8")', "assert calc.double(4) == 8"),
        code="tree-changed",
        says="table.txt",
    ),
    Trick(
        "a test that removes other tests",
        DOUBLE
        | test_double(
            'os.path.exists("tests/test_calc.py") and os.remove("tests/test_calc.py")',
            "assert calc.double(4) == 8",
            imports="calc, os",
        ),
        code="test-removed",
        says="test_add",
    ),
    Trick(
        "a first test of a project that writes its code",
        {"calc.py": DOUBLE["calc.py"]}
        | test_double('open(calc.__file__, "a").write("# touched")', "assert calc.double(4) == 8"),
        start={"calc.py": START["calc.py"]},
        alone=True,
        passing=(),
        code="tree-changed",
        says="calc.py",
    ),
    Trick(
        "a chore whose checks write",
        {"README.md": "# calc\n"},
        start=conftest("open('README.md', 'a').write('.')\n"),
        options={"kind": "chore"},
        tests=(),
        code="tree-changed",
        says="README.md",
    ),
    Trick(
        "a wrapper in place of the interpreter, where git does not look",
        BAD,
        start=IGNORED,
        passing=(),
        config={"test_command": ".tools/python -m pytest"},
        by_hand=WRAPPER,
        clean_room=True,
        setup=SETUP,
        code="regression",
        says="test_double",
    ),
    Trick(
        "a module that git ignores",
        {
            "calc.py": START["calc.py"]
            + "\n\ndef double(a):\n    import secret\n\n    return secret.double(a)\n"
        }
        | {"tests/test_double.py": "import calc\n\ndef test_double():\n    assert calc.double(4) == 8\n"},
        start={".gitignore": "secret.py\n"},
        by_hand="printf 'def double(a):\\n    return 2 * a\\n' > secret.py",
        clean_room=True,
        code="environment",
        says="secret",
    ),
    Trick(
        "a file in the hands' own home",
        {"calc.py": START["calc.py"] + AT_HOME} | test_double("assert calc.double(4) == 8"),
        by_hand='echo 2 > "$HOME/case-factor"',
        clean_room=True,
        code="regression",
        says="case-factor",
    ),
    Trick(
        "a setup that fails in a fresh clone",
        GOOD,
        clean_room=True,
        setup="echo no such package; exit 1",
        code="setup",
        says="no such package",
        checks=("fresh_place.make:setup verifier.clean_room>make",),
    ),
    Trick(
        "a link out of the project",
        GOOD,
        by_hand="ln -s /etc/passwd alias",
        code="symlink",
        says="out of the project",
        checks=("gate._structure:symlink",),
    ),
    Trick("a link into git's folder", GOOD, by_hand="ln -s .git/config alias", code="symlink", says="alias"),
    Trick(
        "code behind a link",
        GOOD | {"other.py": DOUBLE["calc.py"]},
        by_hand="ln -sf ../calc.py tests/calc.py; ln -sf /dev/null calc.py",
        code="symlink",
        says="calc.py",
    ),
    Trick(
        "a submodule",
        GOOD,
        modes={"vendor": ("160000", b"")},
        code="gitlink",
        says="vendor",
        checks=("gate._structure:gitlink",),
        then="sandbox",
    ),
    Trick(
        "a git folder",
        GOOD,
        modes={"sub/.git/config": ("100644", b"[core]\n")},
        code="git-folder",
        says="sub/.git/config",
        checks=("gate._structure:git-folder",),
        then="sandbox",
    ),
    Trick(
        "a key in the code",
        GOOD | {"calc.py": DOUBLE["calc.py"] + f'KEY = "{KEY}"\n'},
        code="secret",
        says="calc.py",
        checks=("gate._contents:secret",),
    ),
    Trick(
        "a file too large",
        GOOD | {"big.txt": "x" * 1_001},
        config={"max_file_bytes": 1_000},
        code="size",
        says="big.txt",
        checks=("gate._contents:size",),
    ),
    Trick(
        "too many files",
        GOOD,
        by_hand="mkdir many && cd many && touch $(seq 2001)",
        code="size",
        says="2,000",
        checks=("gate.check:size",),
    ),
    Trick(
        "a refactor that touches tests",
        {"calc.py": DOUBLE["calc.py"], "tests/test_calc.py": TEST_ADD + "\n# same\n"},
        tests=("tests/test_calc.py",),
        options={"kind": "refactor"},
        code="tests-touched",
        says="tests/test_calc.py",
        checks=("proving._selection:tests-touched",),
    ),
    Trick(
        "a refactor without tests",
        DOUBLE,
        tests=(),
        options={"kind": "refactor"},
        code="no-tests",
    ),
    Trick(
        "a refactor that mends what failed",
        {"calc.py": START["calc.py"]},
        start={"calc.py": "def add(a, b):\n    return a - b\n"},
        passing=(),
        tests=("tests/test_calc.py",),
        options={"kind": "refactor"},
        code="not-green-before",
        says="test_add",
        checks=("proving._on_old_code:not-green-before", "proving._on_old_code:not-green-before#2"),
    ),
    Trick(
        "a chore that breaks an older test",
        {"calc.py": "def add(a, b):\n    return 0\n"},
        tests=(),
        options={"kind": "chore"},
        code="regression",
        says="test_add",
    ),
    Trick(
        "a user interface without a browser test",
        GOOD,
        options={"category": "frontend"},
        code="no-browser-test",
        says="frontend",
        checks=("e2e.judge:no-browser-test proving.run:raise#2",),
    ),
    Trick(
        "a user interface whose page is no browser's",
        DOUBLE
        | {
            "tests/test_double.py": """
                import calc, pytest

                @pytest.fixture
                def page():
                    return "<p>8"

                def test_double(page):
                    assert str(calc.double(4)) in page
            """
        },
        options={"category": "ui"},
        code="no-browser-test",
    ),
    Trick(
        "work the project's own command refuses",
        GOOD,
        config={"gates": ("test -f calc.py", "! grep -q double calc.py")},
        passing=(),
        baseline=True,
        code="gate",
        says="grep -q double",
        checks=("gates.check:gate proving.run>check",),
    ),
    Trick(
        "work the project's own command mends",
        GOOD,
        config={"gates": ("! grep -q double calc.py || echo >> calc.py",)},
        passing=(),
        baseline=True,
        code="gate",
        says="calc.py",
        checks=("gates.check:gate#2",),
    ),
    Trick(
        "work the project's own command refuses in a fresh clone",
        GOOD,
        start={".gitignore": "fresh\n"},
        config={"gates": ("test ! -e fresh",)},
        passing=(),
        baseline=True,
        clean_room=True,
        setup="touch fresh",
        code="gate",
        says="test ! -e fresh",
        checks=("gates.check:gate verifier.clean_room>check",),
    ),
    Trick(
        "bytecode that the red run plants for the green one",
        BAD
        | test_double(
            "with open(os.environ['TMPDIR'] + '/case.py', 'w') as good:",
            "    good.write('double = lambda a: 2 * a')",
            "old = py_compile.PycInvalidationMode.UNCHECKED_HASH",
            "made = importlib.util.cache_from_source(calc.__file__)",
            "py_compile.compile(good.name, made, invalidation_mode=old)",
            "assert hasattr(calc, 'double')",
            "assert calc.double(4) == 8",
            imports="calc, importlib.util, os, py_compile",
        ),
        code="not-green",
        says="12 == 8",
    ),
]
