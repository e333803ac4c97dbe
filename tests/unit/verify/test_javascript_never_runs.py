"""JavaScript tests that never come to their checks, or forget what failed."""

import time

import pytest

from autonomous_loop.verify.syntax import bodies, weakened

FORMS = ["assert.equal(x, 1)", "t.assert.equal(x, 1)", "expect(x).toBe(1)"]


def is_weaker(old, new):
    made = [
        f"const {{ test }} = require('t')\n\ntest('a', async (t) => {{\n{one}\n}})\n" for one in (old, new)
    ]
    return weakened("a.test.js", *(one.encode() for one in made)) == ["a"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "new",
    [
        "return\nCHECK",
        "return;\nCHECK",
        "return undefined\nconst y = 1\nCHECK",
        "return f()\nCHECK",
        "{ return }\nCHECK",
        "throw new Skip()\nCHECK",
        "if (false) { CHECK }",
        "if (false) CHECK",
        "if (0) { CHECK }",
        "if ('') { CHECK }",
        "if (null) { CHECK }",
        "if (undefined) { CHECK }",
        "if (!true) { CHECK }",
        "if (!1) { CHECK }",
        "if (false && x) { CHECK }",
        "if (x && false) { CHECK }",
        "if (true) {} else { CHECK }",
        "if (true) f()\nelse CHECK",
        "if (process.env.NEVER) { CHECK }",
        "if (process.env.NEVER) CHECK",
        "if (x) {} else { CHECK }",
        "while (false) { CHECK }",
        "for (const y of []) { CHECK }",
        "for (; false;) { CHECK }",
        "[].forEach((y) => { CHECK })",
        "switch (x) { case 7: CHECK }",
        "false && CHECK",
        "x && CHECK",
        "true || CHECK",
        "x ? CHECK : null",
        "try { CHECK } catch {}",
        "try { CHECK } catch (e) { console.log(e) }",
        "try { f(); CHECK } finally { return }",
        "for (;;) { try { CHECK } finally { break } }",
        "const later = () => CHECK",
        "const later = () => { CHECK }",
        "const later = async function () { CHECK }",
        "function later() { CHECK }",
        "async function later() { CHECK }",
        "(() => { CHECK })",
        "CHECK.catch(() => {})",
        "try { CHECK } catch { return }",
    ],
)
def test_a_check_that_is_not_reached_or_forgotten_says_less(form, new):
    assert is_weaker(form, new.replace("CHECK", form))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "new",
    [
        "await CHECK",
        "return CHECK",
        "return CHECK\n  .then(f)",
        "const y = () => { return\n 1 }\ny()\nCHECK",
        "const y = [1].map((z) => { return z })\nCHECK",
        "const y = { return: 1 }\nCHECK",
        "if (true) { CHECK }",
        "if (false) {} else { CHECK }",
        "for (const y of [1]) { CHECK }",
        "[1].forEach((y) => { CHECK })",
        "try { CHECK } finally { close() }",
        "try { CHECK } catch (e) { throw e }",
        "try { f() } catch {}\nCHECK",
        "try { CHECK } catch (e) { assert.fail(e) }",
        "const check = () => CHECK\ncheck()",
        "later()\nfunction later() { CHECK }",
        "return later()\nfunction later() { CHECK }",
        "(() => { CHECK })()",
        "await Promise.all([1].map(async (y) => { CHECK }))",
        "do { CHECK } while (false)",
        "const f = function () { return 1 }; f(); CHECK",
    ],
)
def test_a_check_that_is_reached_counts_in_full(form, new):
    assert not is_weaker(form, new.replace("CHECK", form))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("assert(x === 1)", "assert(x === 1 || true)"),
        ("assert.ok(x === 1)", "assert.ok(true || x === 1)"),
        ("expect(x).toBeTruthy()", "expect(x || true).toBeTruthy()"),
        ("expect(x === 1).toBe(true)", "expect(x === 1 || true).toBe(true)"),
        ("assert.equal(x === 1, true)", "assert.equal(x === 1 || !0, true)"),
    ],
)
def test_what_is_always_true_says_nothing(old, new):
    assert is_weaker(old, new)


def test_a_default_that_is_no_truth_says_as_much():
    assert not is_weaker("expect(x.y).toBe(1)", "expect(x.y || '').toBe(1)")


def test_a_fall_through_in_a_switch_is_reached_by_its_case():
    old = "switch (x) { case 1: expect(x).toBe(1); break; case 2: expect(x).toBe(2); return; default: f() }"
    new = old.replace("expect(x).toBe(2); return;", "return; expect(x).toBe(2);")
    assert not is_weaker(old, old)
    assert is_weaker(old, new)


def test_an_error_that_is_looked_at_is_a_check_of_its_own():
    test = "try { f(); assert.fail('no error') } catch (e) { assert.equal(e.message, 'x') }"
    assert not is_weaker(test, test)
    assert is_weaker(test, "try { f(); assert.fail('no error') } catch (e) {}")


def test_a_failure_under_a_condition_is_a_check_in_full():
    assert not is_weaker("assert.fail()", "if (x !== 1) assert.fail()")
    assert not is_weaker("assert.fail()", "if (x !== 1) { assert.fail() }")


def test_a_long_file_is_read_in_time_that_grows_with_its_length():
    one = (
        "test('a {0}', () => {{ if (x) {{ const later = () => {{ expect(f({0})).toBe(1) }}; later() }} }})\n"
    )
    text = "".join(one.format(at) for at in range(5_000))
    began = time.process_time()
    assert len(bodies("a.test.js", text.encode())) == 5_000
    assert time.process_time() - began < 6
