import pytest

from autonomous_loop.verify.syntax import asserts_nothing, bodies, titles, weakened

VARIES = "\N{HORIZONTAL ELLIPSIS}"


def read(text):
    return bodies("tests/a.test.ts", text.encode())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("test('a', () => {});", ["a"]),
        ('describe("a", () => { describe(`b`, function () { it("c", () => {}) }) });', ["a::b::c"]),
        ("test.describe('a', () => { test('b', async ({ page }) => {}) });", ["a::b"]),
        ("test('a', async (t) => { await t.test('b', () => {}) });", ["a", "a::b"]),
        ("describe.each([[1]])('a %i', () => { it('b', () => {}) });", [f"a {VARIES}::b"]),
        ("it.each`x\n${1}`('a $x.y z', () => {});", [f"a {VARIES} z"]),
        ("it.skipIf(process.env.CI)('a', () => {});", ["a"]),
        ("it(`a ${name}`, () => {});", [f"a {VARIES}"]),
        ("it('a ' + name, () => {});", [f"a {VARIES}"]),
        ("it('a ' + name.of(1, 'x') + ` ${b} c`, () => {});", [f"a {VARIES} {VARIES} c"]),
        ("it(name + ' a', () => {});", [f"{VARIES} a"]),
        ("it(name, () => {}); it(f('a'), () => {}); it(() => { check('a') });", []),
        ("it('a [b]', () => {});", ["a (b)"]),
        (r"it('it\'s \u0041', () => {});", ["it's A"]),
        ("// it('no', () => {})\n/* it('no', () => {}) */ const s = \"it('no', () => {})\";", []),
        ("const s = `it('no') ${`}`} it('no')`; it('a', () => {});", ["a"]),
        ("const r = /it('no', ()\\/[/)]/g; it('a', () => {});", ["a"]),
        ("const x = a / b; it('a', () => {}); const y = c / d;", ["a"]),
        ("object.it('no', () => {}); test.step('no', () => {}); test.beforeEach('no', () => {});", []),
        ("it('a', () => {", []),
        ("it('a', () => { ( });", []),
    ],
)
def test_tests_are_found_by_their_titles(text, names):
    assert list(read(text)) == names


@pytest.mark.parametrize(
    ("body", "strengths"),
    [
        ("expect(f(1)).toBe(2);", (4.0,)),
        ("expect(1).toBe(f(2));", (4.0,)),
        ("await expect(page.locator('h1')).toHaveText('Hi');", (4.0,)),
        ("expect(f(1)).toBeTruthy();", (1.0,)),
        ("expect(f(1)).not.toBe(2);", (1.0,)),
        ("expect(f(1)).toContain(2);", (2.0,)),
        ("expect(f(1)).to.be.true;", (1.0,)),
        ("assert.deepEqual(f(1), [2]); assert(f(1)); t.is(f(1), 2);", (4.0, 1.0, 4.0)),
        ("f(1).should.equal(2);", (4.0,)),
        ("expect(await check(f(1))).toBe(2);", (4.0,)),
        ("expect(true).toBe(true); assert(1); assert.ok(true); expect(f(1));", ()),
        ("f(1); console.log('expect(x).toBe(1)'); // expect(x).toBe(1)\n", ()),
        ("if (!f) return; expect(f(1)).toBe(2);", (1.0,)),
        ("return expect(f(1)).resolves.toBe(2);", (4.0,)),
    ],
)
def test_checks_are_weighed(body, strengths):
    assert read(f"it('a', async (t) => {{ {body} }});")["a"].strengths == strengths


@pytest.mark.parametrize(
    "text",
    [
        "it.skip('a', () => {});",
        "it.todo('a');",
        "xit('a', () => {});",
        "test.fixme('a', () => {});",
        "describe.skip('b', () => { it('a', () => {}) });",
        "it('a', { skip: true }, () => {});",
        "it('a', (t) => { t.skip(); });",
        "test('a', async ({ page }) => { test.skip(!page, 'why'); });",
        "test.describe('b', () => { test.skip(({ isMobile }) => isMobile); test('a', () => {}) });",
        "it('a', () => {}); it.only('other', () => {});",
        "it.fails('a', () => {});",
    ],
)
def test_what_keeps_a_test_from_counting_is_an_excuse(text):
    assert next(body for name, body in read(text).items() if name.endswith("a")).excuses > 0


def test_an_option_that_is_off_is_no_excuse():
    assert read("it('a', { skip: false, timeout: 5 }, () => {});")["a"].excuses == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("expect(f()).toBe(1); expect(g()).toBe(2);", "expect(f()).toBe(1);"),
        ("expect(f()).toEqual({ a: 1 });", "expect(f()).toBeDefined();"),
        ("expect(f()).toBe(1);", "return; expect(f()).toBe(1);"),
    ],
)
def test_a_test_that_checks_less_is_weaker(old, new):
    before, after = (f"it('a', () => {{ {body} }});".encode() for body in (old, new))
    assert weakened("a.test.js", before, after) == ["a"]
    assert weakened("a.test.js", before, before) == []


def test_the_rows_of_a_table_are_one_test_with_parameters():
    found = titles(
        "a.js",
        b"describe('d', () => { it.each([1])('of %i', () => {}) });"
        b"describe.each([1])('e %i', () => { it('x', () => {}) });",
    )
    assert found.id_of(["d", "of 1"]) == f"d::of {VARIES}[of 1]"
    assert found.id_of(["e 1", "x"]) == f"e {VARIES}::x[e 1::x]"
    assert found.id_of(["d", "somewhere else"]) == "d::somewhere else"
    source = b"it.each([1])('of %i', () => { f(1) });"
    assert asserts_nothing("a.test.js", source, f"a.test.js::of {VARIES}[of 1]")


def test_tests_expected_to_fail_are_known_by_their_titles():
    found = titles("a.js", b"it.fails('a', () => {}); it('b', { fails: true }, () => {}); it('c', () => {});")
    assert [found.is_inverted([name]) for name in "abc"] == [True, True, False]


@pytest.mark.parametrize(
    "source", [b"(" * 50_000, b"`${" * 5_000, b"it('a', () => {" * 2_000 + b"})" * 2_000, b"\xff\xfe'"]
)
def test_what_cannot_be_read_says_nothing(source):
    assert isinstance(bodies("a.test.js", source), dict)
