from autonomous_loop.domain.keys import Keyring


def ring(*materials, repository="o/r", loop="issue-1"):
    return Keyring.derive(materials, repository=repository, loop=loop)


def test_what_one_key_signs_no_other_verifies():
    mac = ring("one").sign(b"text")
    assert ring("one").verify(b"text", mac)
    assert not ring("one").verify(b"texT", mac)
    assert not ring("two").verify(b"text", mac)
    assert not ring("one", loop="issue-2").verify(b"text", mac)
    assert not ring("one", repository="o/other").verify(b"text", mac)


def test_a_rotated_key_still_verifies_but_does_not_sign():
    old = ring("old").sign(b"text")
    both = ring("new", "old")
    assert both.verify(b"text", old)
    assert not ring("old").verify(b"text", both.sign(b"text"))
    assert both.knows(old)
    assert not ring("new").knows(old)


def test_an_unsigned_text_counts_only_where_there_is_no_key():
    nobody = ring()
    mac = nobody.sign(b"text")
    assert not nobody.signed
    assert nobody.verify(b"text", mac)
    assert not nobody.verify(b"other", mac)
    assert not ring("one").verify(b"text", mac)


def test_a_key_is_not_shown():
    assert "secret=" not in repr(ring("one"))
