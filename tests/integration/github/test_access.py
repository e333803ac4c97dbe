from __future__ import annotations

import pytest

from autonomous_loop.errors import AccessError, ForgeError

from .conftest import LABEL


@pytest.mark.parametrize("login", ["octo", "ann", "mai"], ids=["admin", "write", "maintain"])
def test_people_with_write_access_may_ask(world, login):
    world.label(login)
    found = world.access().check_start(1, LABEL, actor=login)
    assert found.actor == login
    assert found.at == world.clock.at


@pytest.mark.parametrize("login", ["tri", "rea", "eve"], ids=["triage", "read", "stranger"])
def test_whoever_may_label_but_not_write_is_refused(world, login):
    world.label(login)
    with pytest.raises(AccessError, match=f"{login} may not ask"):
        world.access().check_start(1, LABEL, actor=login)


@pytest.mark.parametrize(
    ("login", "kind"),
    [
        ("evil[bot]", "Bot"),
        ("evil[bot]", "User"),
        ("ann[bot]", "Bot"),
        ("github-actions[bot]", "Bot"),
        ("ann", "Bot"),
        ("ghost", "User"),
        ("", "User"),
        ("ann/../../../orgs", "User"),
        ("ann\n", "User"),
        ("nobody-at-all", "User"),
        ("ann", "Mannequin"),
    ],
)
def test_everybody_else_is_refused(world, login, kind):
    with pytest.raises(AccessError):
        world.access(allowed_bots=["renovate[bot]"]).require_writer(login, kind)


@pytest.mark.parametrize("login", ["ann/../../../orgs", "ann\n", "", "ghost", "-ann", "a" * 200])
def test_a_login_that_is_none_is_not_even_asked_about(world, login):
    assert world.access().may_write(login) is False
    assert not any("/collaborators/" in one for one in world.faults.seen)


def test_a_bot_may_ask_by_its_exact_name_alone(world):
    access = world.access(allowed_bots=["renovate[bot]"])
    access.require_writer("renovate[bot]", "Bot")
    for other in ("Renovate[bot]", "renovate[bot]x", "renovate", "xrenovate[bot]"):
        with pytest.raises(AccessError):
            access.require_writer(other, "Bot")


@pytest.mark.parametrize("fault", ["denied", "down"])
def test_when_nobody_can_say_it_is_refused(world, fault):
    world.faults.plan = lambda method, path: fault if path.endswith("/permission") else None
    with pytest.raises(AccessError, match="could not be checked, so it is refused"):
        world.access().require_writer("ann")


def test_when_the_events_cannot_be_read_it_is_refused(world):
    world.label("ann")
    world.faults.plan = lambda method, path: "down" if path.endswith("/events") else None
    with pytest.raises(AccessError, match="could not be read"):
        world.access().check_start(1, LABEL, actor="ann")


def test_the_label_event_counts_not_the_payloads_word(world):
    world.label("tri")
    with pytest.raises(AccessError, match="tri may not"):
        world.access().check_start(1, LABEL, actor="ann")


def test_the_payloads_actor_must_be_allowed_too(world):
    world.label("ann")
    with pytest.raises(AccessError, match="eve may not"):
        world.access().check_start(1, LABEL, actor="eve")


def test_the_newest_label_event_counts(world):
    world.label("ann")
    world.unlabel("ann")
    world.clock.later()
    world.label("tri")
    with pytest.raises(AccessError, match="tri may not"):
        world.access().check_start(1, LABEL)


def test_a_label_that_is_off_again_starts_nothing(world):
    world.label("ann")
    world.label("ann", "other")
    world.unlabel("ann")
    with pytest.raises(AccessError, match="does not carry the label"):
        world.access().check_start(1, LABEL, actor="ann")


def test_an_account_that_is_gone_is_refused(world):
    world.store.create_user("ghost")
    world.label("ghost")
    with pytest.raises(AccessError, match="ghost may not"):
        world.access().check_start(1, LABEL)


def test_a_refused_label_is_taken_off_and_twice_is_fine(world):
    world.label("tri")
    access = world.access()
    access.remove_label(1, LABEL)
    access.remove_label(1, LABEL)
    assert [one.name for one in world.repository().get_issue(1).labels] == []


def test_a_label_that_cannot_be_taken_off_is_an_error(world):
    world.label("tri")
    world.faults.plan = lambda method, path: "denied" if method == "DELETE" else None
    with pytest.raises(ForgeError):
        world.access().remove_label(1, LABEL)


def test_a_continuation_checks_the_requester_whoever_dispatched(world):
    access = world.access()
    access.check_continuation(dispatcher="github-actions[bot]", requester="ann")
    access.check_continuation(dispatcher="mai", requester="ann")
    with pytest.raises(AccessError, match="tri may not"):
        access.check_continuation(dispatcher="github-actions[bot]", requester="tri")
    with pytest.raises(AccessError, match="rea may not"):
        access.check_continuation(dispatcher="rea", requester="ann")
    with pytest.raises(AccessError):
        access.check_continuation(dispatcher="evil[bot]", requester="ann")


def test_an_apps_own_bot_may_dispatch(world):
    world.access(own_login="our-app[bot]").check_continuation(dispatcher="our-app[bot]", requester="ann")


def test_a_person_is_asked_about_once(world):
    access = world.access()
    for _ in range(3):
        assert access.may_write("ann")
    assert sum(path.endswith("/permission") for path in world.faults.seen) == 1
