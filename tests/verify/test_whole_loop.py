"""What is around a single proof: the baseline, the clean room, the browser."""

import pytest

from autonomous_loop.errors import ConfigurationError
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROWSER = START | {
    "page.py": "HTML = '<h1>Before</h1>'\n",
    ".gitignore": "test-results/\n",
    "tests/conftest.py": """
        import os, pathlib, pytest
        from playwright.sync_api import sync_playwright

        @pytest.fixture
        def page(request):
            with sync_playwright() as playwright:
                options = {"executable_path": os.environ["CHROME_PATH"], "chromium_sandbox": False}
                browser = playwright.chromium.launch(args=["--disable-gpu"], **options)
                page = browser.new_page(viewport={"width": 300, "height": 200})
                yield page
                page.screenshot(path=pathlib.Path("test-results", "sub dir", f"{request.node.name}.png"))
                browser.close()
    """,
}


async def test_a_suite_that_cannot_be_run_is_the_environment_s_fault(world):
    broken = START | {"tests/conftest.py": "import not_installed_here\n"}
    with pytest.raises(ConfigurationError) as raised:
        await world.start_with_baseline(broken)
    assert "not_installed_here" in str(raised.value)
    assert "test-command" in raised.value.hint


async def test_one_broken_file_does_not_hide_the_rest_of_the_suite(world):
    await world.start_with_baseline(START | {"tests/test_bad.py": "import not_installed_here\n"})
    assert world.baseline.failing == ("tests/test_bad.py",)
    assert world.baseline.passed == 1


async def test_the_clean_room_proves_everything_again_in_a_fresh_clone(world):
    await world.start(START)
    await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py", keep=True)
    world.setup = "echo set up"
    verdict = await world.verifier.clean_room(
        world.checkpoint, baseline=world.baseline, passing=world.passing
    )
    assert verdict.accepted, verdict.reasons
    assert world.setups == 1


async def test_the_clean_room_sees_what_only_an_ignored_file_made_pass(world):
    await world.start(START | {".gitignore": "secret.py\n"})
    files = {
        "calc.py": START["calc.py"]
        + "\n\ndef double(a):\n    import secret\n\n    return secret.double(a)\n",
    }
    await world.workspace.switch(world.tree(files, world.repository.tree_of(world.checkpoint)))
    await world.sandbox.write_file("secret.py", b"def double(a):\n    return 2 * a\n")
    await world.submit(files | DOUBLE_TEST, "tests/test_double.py", keep=True)
    verdict = await world.verifier.clean_room(
        world.checkpoint, baseline=world.baseline, passing=world.passing
    )
    assert codes(verdict) == ["environment"], verdict.reasons
    assert "secret" in verdict.reasons[0].text


async def test_a_failing_setup_ends_the_clean_room(world):
    await world.start(START)
    world.setup = "echo no such package; exit 1"
    verdict = await world.verifier.clean_room(world.checkpoint, baseline=world.baseline, passing={})
    assert codes(verdict) == ["setup"]
    assert "no such package" in verdict.reasons[0].text


async def test_a_user_interface_is_proved_in_a_browser_with_pictures(world):
    await world.start(BROWSER)
    files = {
        "page.py": "HTML = '<h1>After</h1>'\n",
        "tests/test_page.py": """
            import page as source

            def test_heading(page):
                page.set_content(source.HTML)
                assert page.locator("h1").inner_text() == "After"
        """,
    }
    verdict = await world.submit(files, "tests/test_page.py", category="frontend")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.end_to_end
    (picture,) = verdict.proof.evidence
    assert picture.name == "sub-dir-test_heading.png"
    assert world.evidence[picture.name].startswith(b"\x89PNG")
    assert picture.size == len(world.evidence[picture.name])


async def test_a_browser_test_that_fails_leaves_its_picture_with_the_refusal(world):
    await world.start(BROWSER)
    files = {
        "page.py": "HTML = '<h1>Wrong</h1>'\n",
        "tests/test_page.py": """
            import page as source

            def test_heading(page):
                page.set_content(source.HTML)
                assert page.locator("h1").inner_text() == "After"
        """,
    }
    verdict = await world.submit(files, "tests/test_page.py", category="frontend")
    assert codes(verdict) == ["not-green"]
    assert list(world.evidence) == ["sub-dir-test_heading.png"]
    assert world.evidence["sub-dir-test_heading.png"].startswith(b"\x89PNG")


async def test_only_real_pictures_become_evidence(world):
    await world.start(START | {".gitignore": "test-results/\n"})
    files = DOUBLE | {
        "tests/test_double.py": """
            import calc, os, pathlib

            PLAYWRIGHT = "playwright"

            def test_double(page):
                page.mkdir()
                (page / "link.png").symlink_to("/etc/hostname")
                (page / "text.png").write_text("not a picture")
                (page / "large.png").write_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + b"x" * 500_000)
                (page / "ok.png").write_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + b"x")
                assert calc.double(4) == 8
        """,
        "tests/conftest.py": """
            import pathlib, pytest

            @pytest.fixture
            def page(tmp_path):
                path = pathlib.Path("test-results")
                if path.exists():
                    import shutil
                    shutil.rmtree(path)
                return path
        """,
    }
    verdict = await world.submit(files, "tests/test_double.py", category="ui")
    assert verdict.accepted, verdict.reasons
    assert list(world.evidence) == ["ok.png"]
