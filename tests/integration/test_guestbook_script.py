"""The sample project and its script, played without the loop: edits fit, submissions are what they claim."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from autonomous_loop.commands.demo import MOST_SLOWNESS, SESSION_MINUTES
from autonomous_loop.domain.feature import Feature, parse_feature_list
from autonomous_loop.sandbox.toolchain import find_browser
from scripted_model.script import Conversation, Script, ToolCall, load_script

SAMPLE = Path(__file__).parents[2] / "examples" / "guestbook"
EDITOR = "str_replace_based_edit_tool"

# What a proof says of each submission, by feature and attempt, in the order they are made. An attempt that is
# not here ends before it submits.
STORY = {
    ("message-limit", 1): [{"no red"}, set()],
    ("split-page", 1): [set()],
    ("newest-first", 1): [set()],
    ("paging", 1): [{"regression: test_every_entry_is_kept"}] * 3,
    ("paging", 2): [set()],
    ("search", 2): [set()],
    ("json-feed", 2): [set()],
    ("likes", 2): [set()],
    ("handbook", 1): [set()],
}
ORDER = ["message-limit", "split-page", "newest-first", "paging", "search", "json-feed", "likes", "handbook"]
# Bytes of output, four a token, with which the script's context window of 40,000 is filled to the loop's
# threshold of six tenths, compacted, filled again, compacted again and filled a third time.
FULL = 1.5 * 4 * 40_000
# Seconds: what the longest session of the demo has.
LONGEST_SESSION_S = 60 * SESSION_MINUTES * MOST_SLOWNESS


@dataclass
class Result:
    """What a tool gave back; `failed` as the API's `is_error`."""

    text: str
    failed: bool = False


@dataclass
class Tree:
    """A work tree with the two tools that change it."""

    folder: Path

    def use(self, call: ToolCall) -> Result:
        if call.name == "bash":
            return self.bash(call.input["command"])
        if call.name == EDITOR:
            return self._edit(**call.input)
        return Result("not played")

    def bash(self, command: str) -> Result:
        done = subprocess.run(
            ["bash", "-c", command],
            check=False,
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Result(done.stdout + done.stderr, failed=done.returncode != 0)

    def _edit(
        self, command: str, path: str, file_text: str = "", old_str: str = "", new_str: str = ""
    ) -> Result:
        file = self.folder / path
        if command == "create":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(file_text, "utf-8")
        elif command == "str_replace":
            text = file.read_text("utf-8")
            if (found := text.count(old_str)) != 1:
                return Result(f"{path}: found {found} times: {old_str}", failed=True)
            file.write_text(text.replace(old_str, new_str), "utf-8")
        else:
            assert command == "view", command
        return Result(file.read_text("utf-8"))

    def contents(self) -> dict[str, str]:
        names = self.bash("git ls-files --cached --others --exclude-standard").text.splitlines()
        return {name: (self.folder / name).read_text("utf-8") for name in sorted(set(names))}

    def commit(self, message: str) -> None:
        person = "-c user.name=t -c user.email=t@example.org"
        done = self.bash(f"git add -A && git {person} commit --allow-empty -qm '{message}'")
        assert not done.failed, done.text

    def copy(self, folder: Path) -> "Tree":
        """The last commit, elsewhere."""
        assert not self.bash(f"git clone -q --local . '{folder}'").failed
        return Tree(folder)


@dataclass
class Played:
    """What came of playing the script."""

    project: Tree
    verdicts: dict[tuple[str, int], list[set[str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    outputs: dict[tuple[str, int], int] = field(default_factory=dict)
    before: dict[str, dict[str, str]] = field(default_factory=dict)
    after: dict[str, dict[str, str]] = field(default_factory=dict)


def environment() -> dict[str, str]:
    # The hands' interpreter has pytest and Playwright and nothing else: no plugins.
    chosen = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    chrome = os.environ.get("CHROME_PATH") or find_browser(os.environ["PATH"])
    return chosen | ({"CHROME_PATH": chrome} if chrome else {})


def run_tests(tree: Tree, *paths: str) -> dict[str, bool]:
    """Every test that ran, by name without parameters, and whether it passed; a broken collection fails."""
    done = tree.bash(f"python -m pytest -q --junitxml=.git/junit.xml {' '.join(paths)}")
    assert "error" not in done.text.splitlines()[-1], done.text
    outcome: dict[str, bool] = {}
    for case in ET.parse(tree.folder / ".git" / "junit.xml").iter("testcase"):
        name = str(case.get("name")).partition("[")[0]
        outcome[name] = outcome.get(name, True) and case.find("failure") is None
    return outcome


def judge(feature: Feature, tree: Tree, tests: list[str], scratch: Path) -> set[str]:
    """A small proof: red on the last commit's code, green on the tree, nothing else broken."""
    verdict = set()
    own = set()
    if feature.kind == "chore":
        return verdict  # there is nothing a test could show
    if feature.kind == "behaviour":
        old = tree.copy(scratch)
        for test in tests:
            shutil.copy(tree.folder / test, old.folder / test)
        red = run_tests(old, *tests)
        own = set(red)
        if all(red.values()):
            verdict.add("no red")
    for name, passed in run_tests(tree).items():
        if not passed:
            verdict.add(f"{'not green' if name in own else 'regression'}: {name}")
    return verdict


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(SAMPLE)


@pytest.fixture(scope="module")
def features(script: Script) -> dict[str, Feature]:
    assert script.planner
    (proposal,) = [call for call in calls(script.planner[0]) if call.name == "propose_features"]
    made = parse_feature_list(proposal.input, source="the script", most=15)
    assert made.test_command == "python -m pytest"
    return {feature.id: feature for feature in made.features}


@pytest.fixture(scope="module")
def played(script: Script, features: dict[str, Feature], tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("guestbook")
    # The pattern keeps out what a run of the sample by hand left behind.
    shutil.copytree(
        SAMPLE / "repository",
        folder / "project",
        ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", "test-results"),
    )
    project = Tree(folder / "project")
    assert not project.bash("git init -q").failed
    project.commit("the guestbook")
    result = Played(project)
    for name in ORDER:
        result.before[name] = project.contents()
        for attempt, conversation in enumerate(script.features[name], start=1):
            _play(result, features[name], attempt, conversation, folder)
        result.after[name] = project.contents()
        project.commit(name)
    return result


def _play(result: Played, feature: Feature, attempt: int, conversation: Conversation, folder: Path) -> None:
    key = (feature.id, attempt)
    tree = result.project
    for turn in conversation.turns:
        if result.outputs.get(key, 0) > FULL:
            break  # the session ends here: its context is full
        if turn.delay_s > LONGEST_SESSION_S:
            break  # here its time is up
        for call in turn.tools:
            if call.name == "submit_feature":
                verdicts = result.verdicts.setdefault(key, [])
                scratch = folder / f"{feature.id}-{attempt}-{len(verdicts)}"
                verdicts.append(judge(feature, tree, call.input["tests"], scratch))
                continue
            given = tree.use(call)
            # A failing command may be what the turn is for; an edit that finds no place never is.
            if given.failed and call.name == EDITOR:
                result.failed.append(f"{key}: {given.text}")
            result.outputs[key] = result.outputs.get(key, 0) + len(given.text.encode())
    if result.verdicts.get(key, [{"ended early"}])[-1]:
        # Back to the checkpoint. Going on from what an attempt left is a test of its own, below.
        assert not tree.bash("git reset -q --hard && git clean -qfd").failed


def calls(conversation: Conversation) -> Iterator[ToolCall]:
    return (call for turn in conversation.turns for call in turn.tools)


def test_the_sample_projects_own_suite_passes(tmp_path):
    shutil.copytree(SAMPLE / "repository", tmp_path / "project")
    project = Tree(tmp_path / "project")
    assert not project.bash("git init -q").failed
    outcome = run_tests(project)
    assert len(outcome) >= 10
    assert all(outcome.values())


def test_features_come_in_the_order_the_script_is_written_for(features):
    by_priority = sorted(features.values(), key=lambda feature: feature.priority)
    assert [feature.id for feature in by_priority] == ORDER
    done: set[str] = set()
    for feature in by_priority:
        assert done.issuperset(feature.depends_on)
        done.add(feature.id)


def test_every_edit_finds_its_place(played):
    assert played.failed == []


def test_every_submission_is_judged_as_the_story_says(played):
    assert played.verdicts == STORY


def test_browser_tests_leave_screenshots(played):
    shots = played.project.folder / "test-results"
    assert {shot.name for shot in shots.iterdir()} == {
        "test_a_visitor_searches_in_the_browser.png",
        "test_a_heart_counts_in_the_browser_without_a_reload.png",
    }


def test_only_the_attempts_meant_to_fill_the_context_do(played, script):
    assert {model.max_input_tokens for model in script.models.values()} == {40_000}
    assert {key for key, size in played.outputs.items() if size > FULL} == {("json-feed", 1), ("likes", 1)}
    assert all(size < FULL / 5 for size in played.outputs.values() if size <= FULL)


def test_one_answer_takes_longer_than_any_session_and_no_other_is_late(script):
    late = {
        (name, attempt): turn.delay_s
        for name, attempts in {"planner": script.planner, **script.features}.items()
        for attempt, conversation in enumerate(attempts, start=1)
        for turn in conversation.turns
        if turn.delay_s
    }
    assert list(late) == [("search", 1)]
    assert late["search", 1] > LONGEST_SESSION_S


def test_an_attempt_cut_off_anywhere_can_be_made_again_on_top(played, script, tmp_path):
    tree = Tree(tmp_path / "tree")
    for name in ORDER:
        last = script.features[name][-1]
        for conversation in script.features[name]:
            for length in range(len(conversation.turns) + 1):
                _reset(tree.folder, played.before[name])
                for turn in [*conversation.turns[:length], *last.turns]:
                    _change(tree, turn.tools)
                files = (path for path in tree.folder.rglob("*") if path.is_file())
                got = {str(path.relative_to(tree.folder)): path.read_text("utf-8") for path in files}
                assert got == played.after[name], (name, length)


def test_tools_of_one_turn_do_not_meet_in_a_file(script):
    every = [*(script.planner or ()), *(one for attempts in script.features.values() for one in attempts)]
    for conversation in every:
        for turn in conversation.turns:
            edited = [call.input["path"] for call in turn.tools if call.name == EDITOR]
            commands = [str(call.input["command"]) for call in turn.tools if call.name == "bash"]
            assert len(edited) == len(set(edited)), edited
            assert not any(path in command for path in edited for command in commands if "sed -i" in command)


def _reset(folder: Path, contents: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def _change(tree: Tree, tools: tuple[ToolCall, ...]) -> None:
    """Play what changes files, and only that."""
    for call in tools:
        if call.name == EDITOR:
            tree.use(call)
        elif call.name == "bash" and "sed -i" in call.input["command"]:
            tree.bash(call.input["command"].partition(" && ")[0])
