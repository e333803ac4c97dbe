"""Patches with line numbers, and files in colours."""

import pytest
from markupsafe import Markup

from embedded_github.forge.models import FileChange
from embedded_github.pages.diff import FileDiff, rows
from embedded_github.pages.highlight import lines

PATCH = """@@ -3,4 +3,5 @@ def a():
 same
-old <b>
+new <b>
+more
 end
\\ No newline at end of file
@@ -20 +21 @@
-x
+y"""


def test_every_line_has_its_numbers_on_both_sides():
    assert [(row.kind, row.old, row.new) for row in rows(PATCH)] == [
        ("hunk", None, None), ("same", 3, 3), ("removed", 4, None), ("added", None, 4), ("added", None, 5),
        ("same", 5, 6), ("note", None, None), ("hunk", None, None), ("removed", 20, None),
        ("added", None, 21),
    ]  # fmt: skip


def test_lines_are_escaped():
    assert str(rows(PATCH)[2].code) == "old &lt;b&gt;"


def test_lines_that_begin_like_headers_are_lines():
    assert [(row.kind, str(row.code)) for row in rows("@@ -1,2 +1,2 @@\n--- a\n+++ b\n -x")][1:] == [
        ("removed", "-- a"),
        ("added", "++ b"),
        ("same", "-x"),
    ]


def test_colours_are_taken_only_where_they_are_the_same_line():
    new = [Markup("a"), Markup('<span class="hl-k">def</span> &lt;')]
    made = rows("@@ -1,0 +2,2 @@\n+def <\n+other", (), [*new, Markup("not it")])
    assert str(made[1].code) == '<span class="hl-k">def</span> &lt;'
    assert str(made[2].code) == "other"


@pytest.mark.parametrize(
    ("added", "removed", "blocks"),
    [
        (0, 0, (0, 0, 5)),
        (1, 0, (1, 0, 4)),
        (1, 1, (1, 1, 3)),
        (500, 1, (5, 0, 0)),
        (1, 500, (1, 4, 0)),
        (3, 2, (3, 2, 0)),
    ],
)
def test_five_squares_show_the_shares(added, removed, blocks):
    assert FileDiff(FileChange("a", "modified", added, removed, None, None, ""), ()).blocks == blocks


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a = '<script>'\n\n\nb = 2\n", "x.py"),
        ("\n\nx", "x.py"),
        ('"""\nlong\n"""\n', "x.py"),
        ("<script>alert(1)</script>", "x.html"),
        ("<script>", "x.nothing"),
        ("a\r\nb\r\n", "x.js"),
        ("a\rb\nc", "x.py"),
        ("", "x.py"),
        ("\n", "x.py"),
        ("\x0c\u2028a\x85b\nc", "x.py"),
    ],
)
def test_files_in_colours_have_as_many_lines_as_they_have(text, path):
    made = lines(text, path)
    assert len(made) == len(text.removesuffix("\n").split("\n"))
    assert "<script" not in "".join(made)
