import pytest

from autonomous_loop.domain.work import Change
from autonomous_loop.verify.rules.runner_guard import guard
from verify.small_facts import facts

PACKAGE = '[package]\nname = "demo"\n'


def refused(path: str, old: str | None, new: str):
    change = Change(path, "M" if old is not None else "A", "100644", "100644")

    def text(data: str | None):
        return lambda _: data.encode() if data is not None else None

    found = guard([change], text(old), text(new), checkpoint=facts({"tests/add.rs": ""}))
    return [(one.code, one.text) for one in found]


@pytest.mark.parametrize(
    ("new", "key"),
    [
        (PACKAGE + "autotests = false\n", "package.autotests"),
        (PACKAGE + "[lib]\ndoctest = false\n", "lib.doctest"),
        (PACKAGE + '[[test]]\nname = "add"\nharness = false\n', "test add.harness"),
        (PACKAGE + '[[test]]\nname = "add"\nrequired-features = ["x"]\n', "test add.required-features"),
    ],
)
def test_a_manifest_may_not_leave_tests_out(new, key):
    assert [code for code, text in refused("Cargo.toml", PACKAGE, new) if key in text] == ["runner-keys"]


def test_dependencies_and_named_tests_may_change():
    new = PACKAGE + '[dependencies]\nserde = "1"\n\n[[test]]\nname = "add"\npath = "tests/other.rs"\n'
    assert refused("Cargo.toml", PACKAGE, new) == []


def test_a_new_crate_may_leave_tests_out_but_brings_no_harness():
    assert refused("a/Cargo.toml", None, PACKAGE + "[lib]\ntest = false\n") == []
    assert refused("a/Cargo.toml", None, PACKAGE + '[[test]]\nname = "a"\nharness = false\n') != []


def test_programs_between_cargo_and_a_test_are_refused_and_other_settings_are_not():
    assert refused(".cargo/config.toml", None, '[target.x]\nrunner = "true"\n')[0][0] == "runner-keys"
    assert refused("a/.cargo/config", "", '[build]\nrustc-wrapper = "x"\n')[0][0] == "runner-keys"
    assert refused(".cargo/config.toml", None, '[net]\noffline = true\n\n[alias]\nxtask = "run"\n') == []
