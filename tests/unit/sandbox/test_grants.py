"""What a job lends its hands, and what it never does."""

import json

import pytest

from autonomous_loop.errors import ConfigurationError
from autonomous_loop.sandbox.grants import Grants


def read(path="", readable="", **variables):
    return Grants.read(
        {
            "AUTONOMOUS_LOOP_HANDS_PATH": path,
            "AUTONOMOUS_LOOP_HANDS_READABLE": readable,
            "AUTONOMOUS_LOOP_HANDS_ENV": json.dumps(variables),
            "OTHER": "not named",
        }
    )


def test_folders_and_named_variables_are_lent_and_nothing_else():
    lent = read(path="/opt/a/bin\n\n /opt/b \n", readable="/srv/data", DATABASE_URL="postgresql://x")
    assert lent.path == ("/opt/a/bin", "/opt/b")
    assert lent.readable == ("/srv/data",)
    assert lent.variables == {"DATABASE_URL": "postgresql://x"}
    assert Grants.read({}) == Grants()


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_OUTPUT", "ACTIONS_RUNTIME_TOKEN", "INPUT_LABEL", "ANTHROPIC_BASE_URL", "AWS_REGION",
        "LD_PRELOAD", "NPM_TOKEN", "DB_PASSWORD", "MY_SECRET", "STRIPE_KEY", "deploy_key", "PATH", "HOME",
        "BASH_ENV",
        "A-B", "",
    ],
)  # fmt: skip
def test_the_runners_the_loops_and_what_names_a_secret_are_refused_by_name(name):
    with pytest.raises(ConfigurationError, match="is not lent to the hands"):
        read(**{name: "value"})


def test_a_secret_is_refused_whatever_it_is_called():
    lent = read(HARMLESS="Bearer sk-ant-secret")
    assert lent.without(("other",)) is lent
    with pytest.raises(ConfigurationError, match="HARMLESS holds one of the loop's own secrets") as caught:
        lent.without(("sk-ant-secret",))
    assert "sk-ant" not in str(caught.value)


@pytest.mark.parametrize("folder", ["relative/bin", "~/bin", "/a:/b", "/"])
def test_a_folder_must_be_absolute_and_one(folder):
    with pytest.raises(ConfigurationError, match="no absolute folder"):
        read(path=folder)
    with pytest.raises(ConfigurationError, match="`readable` names"):
        read(readable=folder)
