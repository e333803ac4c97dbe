"""The commented configuration file, and the model it is made from, say the same."""

import re
import tomllib

from autonomous_loop.config import LoopConfig
from autonomous_loop.report.configuration import commented, keys


def uncommented(text):
    return tomllib.loads(re.sub(r"^# (?=[a-z0-9-]+ = )", "", text, flags=re.MULTILINE))


def test_as_it_is_it_changes_nothing():
    assert tomllib.loads(commented()) == {}


def test_every_key_stands_there_with_its_default():
    found = uncommented(commented())
    assert (
        set(found) == {one.name for one in keys()} == {n.replace("_", "-") for n in LoopConfig.model_fields}
    )
    made = LoopConfig.read(found, source="the file")
    unset = {name for name, field in LoopConfig.model_fields.items() if field.default is None}
    assert made.model_dump(exclude=unset) == LoopConfig().model_dump(exclude=unset)
    assert all(getattr(made, name) is not None for name in unset)


def test_a_test_command_is_filled_in_whatever_it_holds():
    text = commented('pytest -k "a\\b"')
    assert tomllib.loads(text) == {"test-command": 'pytest -k "a\\b"'}
    assert tomllib.loads(commented(others="go test (in api); npx vitest (in web)")) == {}


def test_the_values_there_are_are_told():
    assert "How much the model thinks. One of: low, medium, high, xhigh, max." in commented()
    assert "auto, manual, scheduled, event" in commented()
