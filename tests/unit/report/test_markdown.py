from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Blocked, Revoked
from autonomous_loop.domain.feature import Attempt, Feature, FeatureList, FeatureStatus
from autonomous_loop.domain.proof import Baseline, GateRun, TestCounts, TestRun
from autonomous_loop.report.markdown import (
    MOST,
    final_comment,
    job_summary,
    pull_request_body,
    pull_request_title,
    report,
    sticky_comment,
)
from autonomous_loop.report.view_model import Site

GITHUB_LIKE = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table"])
SURFACES = [pull_request_body, sticky_comment, job_summary, final_comment]
COUNTED = [pull_request_body, sticky_comment, job_summary]
HOSTILE = (
    "x <img src=x> @octocat fixes #99 ![p](https://evil.example/p.png) [l](https://evil.example)\n"
    "\n# heading\n| a | b |\n```\nend <!-- hidden"
)


@pytest.fixture
def complete(make_record):
    return make_record(proved=4, reason=HandoffReason.COMPLETE)


@pytest.fixture
def blocked(make_record):
    return make_record(proved=3, blocked=("feed",), reason=HandoffReason.BLOCKED)


def test_the_first_line_says_how_ci_starts(complete, site):
    waits = pull_request_body(complete, site)
    assert waits.splitlines()[0].startswith(
        "CI on this pull request waits for a click on *Approve workflows to run*"
    )
    runs = pull_request_body(complete, replace(site, ci="runs"))
    assert runs.splitlines()[0] == "CI runs on this pull request by itself."
    silent = pull_request_body(complete, replace(site, ci=""))
    assert silent.startswith("### ")


def test_all_surfaces_show_the_same_counts(make_record, site):
    record = make_record(proved=2)
    for surface in SURFACES:
        assert "2 of 4 features proved" in surface(record, site), surface.__name__
    for surface in COUNTED:
        assert "| 2 of 10 | 82,000 of 500,000 (+ 1,200,000 read from cache) | $1.23 of $10.00 | 40 | 5 |" in (
            surface(record, site)
        ), surface.__name__


def test_a_tick_stands_only_before_a_proved_feature(make_record, site):
    body = pull_request_body(make_record(proved=2), site)
    assert re.findall(r"- \[(.)\] \*\*(\w+)\*\*", body) == [
        ("x", "reply"), ("x", "list"), (" ", "tidy"), (" ", "feed"),
    ]  # fmt: skip


def test_a_passing_status_without_a_proof_is_not_ticked(make_record, site):
    record = make_record(proved=2, proofs={})
    assert "- [x]" not in pull_request_body(record, site)


def test_a_reopened_feature_is_not_ticked_by_its_old_proof(make_record, site):
    record = make_record(proved=2)
    reopened = record.model_copy(update={"status": {**record.status, "list": FeatureStatus.PENDING}})
    assert "- [ ] **list**" in pull_request_body(reopened, site)


def test_a_proof_stands_in_one_line_with_its_counts_and_links(complete, site):
    body = pull_request_body(complete, site)
    state = "5" * 40
    assert (
        "  red **3 failed** \u2192 green **3 passed** \u00b7 suite 41 passed \u00b7 2 attempts \u00b7 "
        f"[proof](https://github.com/octo/guestbook/blob/{state}/proofs/reply.json) \u00b7 "
        f"[`aaaaaaa`](https://github.com/octo/guestbook/commit/{'a' * 40})\n"
    ) in body
    assert "no red \u2192 green **3 passed**" in body
    assert "*weak red* \u00b7 *model's command*" in body


def test_what_a_mark_means_and_what_to_look_at_is_said(complete, site):
    body = pull_request_body(complete, replace(site, held_back=(".github/workflows/x.yml",)))
    first = body.split("### Look at these first")[1].split("###")[0]
    assert "*weak red*: its test failed before only because" in first
    assert "**list**: new symlink" in first
    assert "held back, for you to apply: `.github/workflows/x.yml`" in first
    assert "*flaky*" not in first


def test_a_gate_that_was_red_before_anybody_came_is_said(make_record, site):
    gates = (
        GateRun(command="ruff check", tree="7" * 40, exit_code=0),
        GateRun(command="mypy .", tree="7" * 40, exit_code=1),
    )
    body = pull_request_body(make_record(baseline=Baseline(gates=gates)), site)
    assert "mypy . is no gate here: it fails on the untouched code" in body
    assert "ruff check is no gate" not in body


def test_a_flaky_test_is_named_and_counted_as_neither(make_record, site):
    counts = TestCounts(passed=41, flaky=1)
    suite = TestRun(command="pytest", tree="7" * 40, exit_code=1, counts=counts, flaky=("t.py::x",))
    changed = {"regression": suite, "flaky": ("t.py::x",), "marks": ("flaky",)}
    proof = make_record(proved=1).proofs["reply"].model_copy(update=changed)
    body = pull_request_body(make_record(proved=1, proofs={"reply": proof}), site)
    assert "suite 41 passed, 1 flaky" in body
    assert "flaky, counted neither as passed nor as failed: t.py::x" in body


def test_a_proof_that_was_taken_back_is_said_with_its_reason(make_record, site):
    why = "since its checkpoint the whole suite fails"
    revoked = Revoked(feature_id="list", commit="a" * 40, tests=("t.py::x",), why=why)
    body = pull_request_body(make_record(proved=1, revoked={"list": revoked}), site)
    (line,) = [line for line in body.splitlines() if why in line]
    assert "its proof was taken back" in line
    assert "[ ] **list**" in body


def test_what_a_failing_browser_test_left_is_linked_where_it_waits(make_record, site):
    paths = ("attempts/feed/1/feed.png", "attempts/feed/1/trace.zip")
    failed = Attempt(feature_id="feed", number=1, session=2, outcome="refused", evidence=paths)
    body = pull_request_body(make_record(attempts=(failed,), blocked=("feed",)), site)
    (line,) = [line for line in body.splitlines() if "trace.zip" in line]
    state = f"https://github.com/octo/guestbook/blob/{'5' * 40}"
    assert f"[screenshot of the failure]({state}/attempts/feed/1/feed.png)" in line
    assert f"[trace of the failure]({state}/attempts/feed/1/trace.zip)" in line


def test_screenshots_are_shown_from_the_state_commit(complete, site):
    url = f"https://github.com/octo/guestbook/blob/{'5' * 40}/evidence/list/list-1.png?raw=true"
    assert f"[![list list-1.png]({url})]({url})" in pull_request_body(complete, site)


def test_only_a_complete_loop_closes_its_issue(make_record, complete, site):
    assert "Closes #12" in pull_request_body(complete, site)
    part = pull_request_body(make_record(proved=3), site)
    assert "Closes #12" not in part
    assert "For #12" in part


def test_the_last_line_names_the_commands_while_there_is_something_to_command(make_record, complete, site):
    done = pull_request_body(complete, site).strip().splitlines()[-1]
    assert done.endswith("Loop `issue-12`.</sub>")
    working = pull_request_body(make_record(), site).strip().splitlines()[-1]
    assert working.endswith(
        "Loop `issue-12`. Commands: <code>/loop continue</code>, <code>/loop stop</code>.</sub>"
    )


def test_the_proofs_can_be_replayed_with_git_alone(complete, site):
    body = pull_request_body(complete, site)
    green, red = (f'git worktree add -q --detach "$d" {commit * 40} && (cd "$d" || exit; ' for commit in "ab")
    assert f"{green}python -m pytest -q); git worktree remove" in body
    assert f"{red}git checkout -q {'a' * 40} -- tests/test_reply.py || exit; python -m pytest -q)" in body


def test_an_error_a_person_must_mend_is_told_in_the_comments(make_record, site):
    record = make_record(reason=HandoffReason.FAILED)
    said = record.sessions[-1].model_copy(update={"note": "the branch cannot be moved: ```\n@octo <b>"})
    told = record.model_copy(update={"sessions": (*record.sessions[:-1], said)})
    for surface in (sticky_comment, final_comment):
        assert "````\nthe branch cannot be moved: ```\n@octo <b>\n````" in surface(told, site)
        assert "````" not in surface(record, site)


def test_a_blocked_feature_shows_its_question_where_people_are_asked(blocked, site):
    for surface in (sticky_comment, final_comment, job_summary):
        text = surface(blocked, site)
        assert "Which URL?" in text
        assert "needs you" in text.lower()
    assert "/loop retry FEATURE" in sticky_comment(blocked, site)


def test_final_comments_say_ready_needs_you_or_stopped(make_record, complete, blocked, site):
    assert final_comment(complete, site).startswith("\u2705 **Ready for review**: 4 of 4")
    assert final_comment(blocked, site).startswith("\u270b **Needs you**: 3 of 4 features proved, 1 blocked")
    stopped = final_comment(make_record(reason=HandoffReason.STOPPED), site)
    assert stopped.startswith("\u23f9\ufe0f **Stopped**: 2 of 4")
    assert "/loop continue" in stopped


@pytest.mark.parametrize("surface", SURFACES)
def test_hostile_model_text_does_nothing_on_any_surface(make_record, site, surface):
    features = FeatureList(
        features=(Feature(id="one", description=HOSTILE, category="x"), Feature(id="two", description="y"))
    )
    record = make_record(
        features=features,
        status={"one": FeatureStatus.BLOCKED, "two": FeatureStatus.PASSING},
        proofs={"two": make_record().proofs["list"].model_copy(update={"notices": (HOSTILE,)})},
        blocked={"one": Blocked(feature_id="one", reason=HOSTILE, question=HOSTILE)},
        reason=HandoffReason.BLOCKED,
    )
    shown = GITHUB_LIKE.render(surface(record, site))
    outside_code = re.sub(r"<(pre|code)>.*?</\1>|<pre><code.*?</pre>", "", shown, flags=re.DOTALL)
    assert 'evil.example/p.png"' not in shown
    assert not re.search(r'(src|href)="[^"]*evil', shown)
    assert not re.search(r"@octocat|#99", outside_code)
    assert "<h1>heading" not in shown
    assert "<!--" not in outside_code
    assert "<img src=x" not in shown


def test_the_title_is_the_request_and_fit_for_a_squash(make_record):
    record = make_record()
    assert pull_request_title(record) == "Replies in the guestbook"
    request = record.facts.request.model_copy(update={"title": "\u200b"})
    empty = record.model_copy(update={"facts": record.facts.model_copy(update={"request": request})})
    assert pull_request_title(empty) == "Autonomous Loop issue-12"


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("many", [120, 500])
def test_a_long_list_is_cut_sensibly(make_record, site, surface, many):
    proofs = make_record(proved=4).proofs
    features = tuple(Feature(id=f"f-{n}", description=f"{HOSTILE} " * 20) for n in range(many))
    record = make_record(
        features=FeatureList(features=features),
        status={one.id: FeatureStatus.PASSING for one in features},
        proofs={
            one.id: proofs["list"].model_copy(update={"feature_id": one.id, "notices": (HOSTILE,) * 5})
            for one in features
        },
    )
    text = surface(record, site)
    assert len(text) <= (MOST if surface is not job_summary else 300_000)
    assert f"{many} of {many} features proved" in text
    assert text.count("<details>") == text.count("</details>")


def test_even_the_least_detail_is_cut_when_it_does_not_fit(make_record, site):
    held_back = tuple("p" * 60_000 for _ in range(3))
    body = pull_request_body(make_record(), replace(site, held_back=held_back))
    assert len(body) <= MOST
    assert body.endswith("holds everything.*")
    assert "2 of 4 features proved" in body


@pytest.mark.parametrize("surface", SURFACES)
def test_without_a_forge_there_are_no_empty_links(complete, surface):
    text = surface(complete, Site())
    assert "]()" not in text
    assert "http" not in text


@pytest.mark.parametrize("surface", SURFACES)
def test_before_there_is_a_list_every_surface_has_something_to_say(make_record, site, surface):
    record = make_record(reason=None, features=None, status={}, proofs={}, pull_request=None)
    assert "working" in surface(record, site).lower()


def test_a_report_holds_all_three(complete, site):
    made = report(complete, site)
    assert made.title == pull_request_title(complete)
    assert made.body == pull_request_body(complete, site)
    assert made.sticky == sticky_comment(complete, site)


def test_the_summary_shows_all_of_the_request_as_it_was_passed_on_and_as_text(make_record, site):
    record = make_record()
    asked = record.facts.request.model_copy(update={"body": HOSTILE, "comments": ("ann:\nAlso ```this```.",)})
    facts = record.facts.model_copy(update={"request": asked})
    text = job_summary(make_record(facts=facts), site)
    (block,) = (one for one in GITHUB_LIKE.parse(text) if one.type == "fence" and "Also" in one.content)
    assert block.content == f"{asked.title}\n\n{HOSTILE}\n\nann:\nAlso ```this```.\n"
