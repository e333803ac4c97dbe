import pytest

from verify.proof_world import DOUBLE, START

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def check(world, files, *, link=()):
    before = world.repository.tree_of(world.checkpoint)
    after = world.tree(files, before)
    await world.workspace.switch(after)
    for path, target in link:
        await world.sandbox.run(["ln", "-s", target, path], timeout_s=5)
    return await world.gate.check(before, await world.workspace.take())


def codes(report):
    return [reason.code for reason in report.refusals]


async def test_clean_work_passes_with_what_a_reviewer_should_look_at(world):
    await world.start(START)
    files = DOUBLE | {"setup.py": "x = 1\n", "logo.png": b"\x89PNG\r\n\x1a\n\0\0", "tool.sh": "echo\n"}
    before = world.repository.tree_of(world.checkpoint)
    await world.workspace.switch(world.tree(files, before))
    await world.sandbox.run(["bash", "-c", "chmod +x tool.sh; ln -s calc.py alias.py"], timeout_s=5)
    report = await world.gate.check(before, await world.workspace.take())
    assert report.refusals == ()
    assert report.notices == (
        "link: alias.py -> calc.py",
        "binary: logo.png (10 bytes)",
        "run by tools: setup.py",
        "executable: tool.sh",
    )


async def test_protected_paths_are_held_back_and_judged_no_further(world, configured):
    configured(protected_paths=("/deploy/",))
    await world.start(START)
    key = "ghp_" + "a1B2" * 9
    files = DOUBLE | {
        ".github/workflows/x.yml": key,
        "deploy/a": "x",
        "AGENTS.md": "x",
        ".gitattributes": "x",
    }
    report = await check(world, files)
    assert report.held_back == (".gitattributes", ".github/workflows/x.yml", "AGENTS.md", "deploy/a")
    assert report.refusals == ()


async def test_a_secret_is_refused_without_being_repeated(world):
    await world.start(START | {"old.txt": "AKIA" + "ABCDEFGH12345678\n"})
    key = "ghp_" + "a1B2" * 9
    report = await check(
        world, {"calc.py": f'KEY = "{key}"\n', "old.txt": "AKIA" + "ABCDEFGH12345678\nmore\n"}
    )
    assert codes(report) == ["secret"]
    assert key not in report.model_dump_json()
    assert "calc.py" in report.refusals[0].text


async def test_too_large_a_file_and_too_many_files_are_refused(world, configured):
    configured(max_file_bytes=1_000)
    await world.start(START)
    assert codes(await check(world, {"big.txt": "x" * 1_001})) == ["size"]
    many = {f"many/{number}.txt": b"x" for number in range(2_001)}
    before = world.repository.tree_of(world.checkpoint)
    assert codes(await world.gate.check(before, world.tree(many, before))) == ["size"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "tests/../../x", ".git/config"])
async def test_a_link_out_of_the_project_is_refused(world, target):
    await world.start(START)
    assert codes(await check(world, {}, link=[("alias", target)])) == ["symlink"]
