import pytest

from autonomous_loop.verify.secret_scan import SecretScan

SCAN = SecretScan()


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("GitHub Token", ("ghp_", "a1B2" * 9)),
        ("AWS Access Key", ("AKIA", "ABCDEFGH12345678")),
        ("Private Key", ("-----BEGIN RSA ", "PRIVATE KEY-----")),
        ("Anthropic API Key", ("sk-ant-", "api03-" + "x" * 90)),
        ("Slack Token", ("xoxb-", "34532454-e039d02840a0b9379c")),
    ],
)
def test_keys_with_a_form_of_their_own_are_found_and_not_repeated(kind, parts):
    secret = "".join(parts)
    assert SCAN.kinds(["x = 1", f'KEY = "{secret}"']) == [kind]


def test_a_key_deep_in_a_long_line_is_found():
    assert SCAN.kinds(["-" * 25_000 + " sk-" + "ant-api03-" + "x" * 90 + " " + "-" * 9_000]) == [
        "Anthropic API Key"
    ]


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter2"',
        "sha = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'",
        "http://user:pass@localhost/",
        "",
        "ip = '8.8.8.8'",
    ],
)
def test_what_honest_tests_hold_is_left_alone(line):
    assert SCAN.kinds([line]) == []
