import pytest

from autonomous_loop.agent.conversation import ToolCall
from autonomous_loop.agent.tool_runner import describe, needs


def call(name, **given):
    return ToolCall("toolu_1", name, given)


BASH = call("bash", command="pytest -q\nls")
BROWSER = call("browser", action="goto", url="http://127.0.0.1:1/")
VIEW = call("str_replace_based_edit_tool", command="view", path="a")
EDIT = call("str_replace_based_edit_tool", command="insert", path="./a")
OTHER = call("str_replace_based_edit_tool", command="create", path="b")
ABSOLUTE = call("str_replace_based_edit_tool", command="create", path="/tree/x/../a")


@pytest.mark.parametrize(
    ("later", "earlier", "waits"),
    [
        (BASH, BASH, True),
        (BROWSER, BROWSER, True),
        (BROWSER, BASH, True),
        (BASH, EDIT, True),
        (EDIT, BASH, True),
        (EDIT, EDIT, True),
        (EDIT, VIEW, True),
        (EDIT, ABSOLUTE, True),
        (VIEW, EDIT, True),
        (VIEW, VIEW, False),
        (VIEW, BASH, False),
        (BASH, VIEW, False),
        (EDIT, OTHER, False),
        (VIEW, OTHER, False),
    ],
)
def test_a_tool_waits_for_what_it_may_depend_on(later, earlier, waits):
    assert needs(later, earlier, work="/tree") is waits


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (BASH, "bash: pytest -q"),
        (EDIT, "insert ./a"),
        (BROWSER, "goto http://127.0.0.1:1/"),
        (call("submit_feature", feature_id="x"), "submit_feature x"),
        (ToolCall("toolu_1", "bash", "not an object"), "bash"),
    ],
)
def test_a_tool_call_is_described_in_one_short_line(one, line):
    assert describe(one) == line
