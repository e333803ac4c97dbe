import io
import stat
import zipfile

import pytest

from autonomous_loop.github.archive import ArchiveError, pack, unpack


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("way/out")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_what_is_packed_is_unpacked_and_packs_the_same_again():
    files = {"b/c.txt": b"two", "a.bin": bytes(range(256))}
    assert unpack(pack(files)) == files
    assert pack(dict(reversed(files.items()))) == pack(files)


@pytest.mark.parametrize(
    "path", ["../up", "a/../../up", "/etc/passwd", "c:\\x", "a\\..\\b", "a\nb", "", "x" * 501]
)
def test_a_path_that_leads_out_is_neither_packed_nor_unpacked(path):
    with pytest.raises(ArchiveError):
        pack({path: b"x"})
    if path:
        with pytest.raises(ArchiveError):
            unpack(zipped((path, b"x")))


def test_too_many_files_and_too_many_bytes_are_refused_by_what_is_read():
    with pytest.raises(ArchiveError, match="3 files"):
        unpack(zipped(*((f"{n}", b"") for n in range(3))), most_entries=2)
    bomb = zipped(("a", b"\0" * 2_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(ArchiveError, match="more than 1000000 bytes"):
        unpack(bomb, most_bytes=1_000_000)
    two = zipped(("a", b"x" * 600), ("b", b"x" * 600))
    with pytest.raises(ArchiveError, match="more than 1000 bytes"):
        unpack(two, most_bytes=1_000)


def test_links_doubles_and_damage_are_refused():
    with pytest.raises(ArchiveError, match="link"):
        unpack(zipped((link(), b"/etc/passwd")))
    with pytest.warns(UserWarning, match="Duplicate"):
        double = zipped(("a", b"1"), ("a", b"2"))
    with pytest.raises(ArchiveError, match="twice"):
        unpack(double)
    whole = pack({"a": b"0123456789" * 50})
    for damaged in (b"", b"no zip", whole[:-10], whole[:40] + b"XX" + whole[42:]):
        with pytest.raises(ArchiveError, match="sound zip"):
            unpack(damaged)
