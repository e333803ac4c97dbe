import pytest

from autonomous_loop.sandbox.process import Output


@pytest.mark.parametrize("piece", [1, 7, 100, 5000])
def test_head_and_tail_are_kept_and_the_gap_is_counted(piece):
    data = bytes(range(256)) * 20
    output = Output(100)
    for at in range(0, len(data), piece):
        output.add(data[at : at + piece])
    assert output.overflowed
    assert output.value() == data[:50] + b"\n[... 5020 bytes left out ...]\n" + data[-50:]


@pytest.mark.parametrize("length", [0, 1, 99, 100])
def test_what_fits_is_kept_whole(length):
    output = Output(100)
    output.add(b"x" * length)
    assert not output.overflowed
    assert output.value() == b"x" * length


def test_one_byte_too_many_loses_the_middle_only():
    output = Output(100)
    output.add(b"a" * 50 + b"m" + b"z" * 50)
    assert output.value() == b"a" * 50 + b"\n[... 1 bytes left out ...]\n" + b"z" * 50


def test_memory_stays_bounded_however_much_is_printed():
    output = Output(1000)
    for _ in range(2000):
        output.add(b"x" * 1000)
    assert len(output._head) + len(output._tail) <= 3000
    assert output.total == 2_000_000
