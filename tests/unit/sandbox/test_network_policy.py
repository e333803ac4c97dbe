import pytest

from autonomous_loop.errors import ConfigurationError
from autonomous_loop.sandbox.network_policy import Network, NetworkPolicy, is_public


def test_the_network_is_open_unless_something_is_said():
    assert NetworkPolicy.read("", []).network is Network.OPEN
    assert str(NetworkPolicy.read("", [])).startswith("open: ")


@pytest.mark.parametrize(
    ("entry", "name", "port", "allowed"),
    [
        ("example.org", "example.org", 443, True),
        ("Example.ORG.", "example.org", 80, True),
        ("example.org", "example.org", 8443, False),
        ("example.org", "files.example.org", 443, False),
        ("example.org", "evilexample.org", 443, False),
        ("*.example.com", "a.example.com", 443, True),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "evilexample.com", 443, False),
        ("*.example.com", "example.com.evil.org", 443, False),
        ("example.com:8443", "example.com", 8443, True),
        ("example.com:8443", "example.com", 443, False),
    ],
)
def test_what_an_entry_allows(entry, name, port, allowed):
    assert NetworkPolicy.read("allowed", ["other.org", entry]).allows(name, port) is allowed


@pytest.mark.parametrize(
    "entry",
    [
        "https://example.org",
        "example.org/simple",
        "*",
        "*.com",
        "a.*.com",
        "1.2.3.4",
        "[::1]",
        "x:0",
        "x:y",
        "x:",
        "-x.org",
        "a b",
        "x:٣",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "exämple.com",
    ],
)
def test_what_is_no_host_is_an_error_that_says_what_is(entry):
    with pytest.raises(ConfigurationError, match="is not a host") as refused:
        NetworkPolicy.read("allowed", [entry])
    assert "*.example.com" in refused.value.hint


def test_a_choice_that_would_do_nothing_is_an_error():
    with pytest.raises(ConfigurationError, match="the list would not be used"):
        NetworkPolicy.read("none", ["example.org"])
    with pytest.raises(ConfigurationError, match="the list would not be used"):
        NetworkPolicy.read("", ["example.org"])
    with pytest.raises(ConfigurationError, match="names no host"):
        NetworkPolicy.read("allowed", [" "])
    with pytest.raises(ConfigurationError, match="network is 'closed'"):
        NetworkPolicy.read("closed", [])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_the_internets(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["151.101.0.223", "2a04:4e42::223", "::ffff:151.101.0.223"])
def test_addresses_of_the_internet(address):
    assert is_public(address)
