"""Rewrites git's answer to a push, to say why a ref was refused where GitHub says it.

A pre-receive hook can only have git answer `pre-receive hook declined`. GitHub's own reason stands behind
the ref (`! [remote rejected] main -> main (refusing to allow ...)`), and programs look for it there. The
answer is pkt-lines (gitprotocol-pack): band 1 carries the report, itself pkt-lines, band 2 what people see
as `remote:`.
"""

from __future__ import annotations

from collections.abc import Mapping

_FLUSH = b"0000"
_DECLINED = "pre-receive hook declined"


def explain(body: bytes, reasons: Mapping[str, str]) -> bytes:
    """Put the reasons, by ref, into a report that came by side-band; anything else is returned as it is."""
    if not reasons:
        return body
    try:
        packets = _packets(body)
        report = _packets(b"".join(data[1:] for data in packets if data[:1] == b"\x01"))
    except ValueError:
        return body
    if not report:
        return body
    lines = b"".join(_packet(_line(data, reasons)) for data in report) + _FLUSH
    told = b"".join(_packet(data) for data in packets if data[:1] != b"\x01")
    return told + _packet(b"\x01" + lines) + _FLUSH


def _line(data: bytes, reasons: Mapping[str, str]) -> bytes:
    word, _, rest = data.decode(errors="replace").rstrip("\n").partition(" ")
    ref, _, reason = rest.partition(" ")
    if word == "ng" and reason == _DECLINED and ref in reasons:
        return f"ng {ref} {reasons[ref]}\n".encode()
    return data


def _packets(stream: bytes) -> list[bytes]:
    """Read pkt-lines, flushes left out.

    Raises:
        ValueError: these are none.
    """
    found: list[bytes] = []
    position = 0
    while position < len(stream):
        length = int(stream[position : position + 4], 16)
        if length == 0:
            position += 4
            continue
        if length < 4 or position + length > len(stream):
            raise ValueError("a broken pkt-line")
        found.append(stream[position + 4 : position + length])
        position += length
    return found


def _packet(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data
