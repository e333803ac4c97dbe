"""The reason of a refusal stands behind its ref, as at GitHub."""

from embedded_github.forge.git.push_report import explain


def packet(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data


REPORT = (
    packet(b"unpack ok\n")
    + packet(b"ng refs/heads/a pre-receive hook declined\n")
    + packet(b"ng refs/heads/b pre-receive hook declined\n")
    + b"0000"
)


def test_the_reason_takes_the_hooks_place_and_the_rest_stays():
    # Git may split the report over packets anywhere.
    body = packet(b"\x02hello\n") + packet(b"\x01" + REPORT[:20]) + packet(b"\x01" + REPORT[20:]) + b"0000"
    explained = explain(body, {"refs/heads/a": "no workflows here"})
    assert packet(b"\x02hello\n") in explained
    assert packet(b"ng refs/heads/a no workflows here\n") in explained
    assert packet(b"ng refs/heads/b pre-receive hook declined\n") in explained
    assert explained.endswith(b"0000")


def test_other_reasons_of_git_are_left_alone():
    report = packet(b"unpack ok\n") + packet(b"ng refs/heads/a non-fast-forward\n") + b"0000"
    explained = explain(packet(b"\x01" + report) + b"0000", {"refs/heads/a": "x"})
    assert packet(b"ng refs/heads/a non-fast-forward\n") in explained


def test_what_is_no_report_passes_through():
    for body in (b"", b"0000", b"not packets", packet(b"\x01" + REPORT)[:-3]):
        assert explain(body, {"refs/heads/a": "x"}) == body
    assert explain(packet(b"\x01" + REPORT), {}) == packet(b"\x01" + REPORT)
