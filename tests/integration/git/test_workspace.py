import subprocess

import pytest

from autonomous_loop.errors import SandboxCallError

pytestmark = pytest.mark.root


async def shell(sandbox, command):
    done = await sandbox.run(["sh", "-c", command], timeout_s=30)
    assert done.exit_code == 0, done.text
    return done.text


async def test_an_untouched_work_tree_is_taken_as_the_tree_it_came_from(workspace, repository, base):
    assert await workspace.take() == repository.tree_of(base)


async def test_changed_new_and_deleted_files_are_taken_and_ignored_ones_are_not(
    workspace, sandbox, repository, base
):
    await shell(
        sandbox, "echo 'x = 2' > app.py; rm -r sub; mkdir -p new cache; echo n > new/a; echo c > cache/c"
    )
    tree = await workspace.take()
    changed = {(change.path, change.status) for change in repository.changes(repository.tree_of(base), tree)}
    assert changed == {("app.py", "M"), ("sub/with space é.txt", "D"), ("new/a", "A")}
    assert repository.read(tree, "app.py") == b"x = 2\n"


async def test_bytecode_is_not_taken_though_nothing_ignores_it_but_what_git_keeps_stays(
    workspace, sandbox, repository, base
):
    kept = repository.write_blob(repository.tree_of(base), "docs/__pycache__/conf.cpython-38.pyc", b"old")
    await workspace.switch(kept)
    await shell(sandbox, "mkdir __pycache__; echo b > __pycache__/app.cpython-311.pyc; echo b > app.pyc")
    assert await workspace.take() == kept


async def test_switching_writes_the_tree_keeps_ignored_files_and_removes_other_untracked_ones(
    workspace, sandbox, repository, base
):
    before = repository.tree_of(base)
    await shell(sandbox, "echo 'x = 2' > app.py; mkdir new cache; echo n > new/a; echo c > cache/c")
    candidate = await workspace.take()
    await workspace.switch(before)
    assert (
        await shell(sandbox, "cat app.py; ls new 2>/dev/null; cat cache/c; ls sub")
        == "x = 1\nc\nwith space é.txt\n"
    )
    await shell(sandbox, "echo junk > junk; rm app.py")
    await workspace.switch(candidate)
    assert await shell(sandbox, "cat app.py new/a; ls junk 2>/dev/null || true") == "x = 2\nn\n"
    assert await workspace.take() == candidate


async def test_a_file_the_loop_overlays_arrives_in_the_work_tree(workspace, sandbox, repository, base):
    tree = repository.write_blob(repository.tree_of(base), "tests/test_a.py", b"assert True\n")
    await workspace.switch(tree)
    assert await shell(sandbox, "cat tests/test_a.py") == "assert True\n"


NEST = (
    "mkdir n && cd n && git init -q && echo '* filter=x' > .gitattributes && echo one > f "
    "&& git -c user.name=a -c user.email=a@b add -A && git -c user.name=a -c user.email=a@b commit -qm n "
    "&& git config filter.x.clean 'touch {proof}; cat'"
)


def test_naively_taking_a_work_tree_runs_a_nested_repositorys_filter_as_the_taker(project, tmp_path):
    proof = tmp_path / "ran"
    subprocess.run(["sh", "-c", NEST.format(proof=proof)], cwd=project, check=True)
    naive = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "add", "-A"]
    subprocess.run(naive, cwd=project, check=True, capture_output=True)
    (project / "n" / "f").write_text("two\n")
    subprocess.run(naive, cwd=project, check=True, capture_output=True)
    assert proof.exists()  # what the next test shows our way to withstand


async def test_a_nested_repository_is_refused_and_its_filter_never_runs_as_the_loop(
    workspace, sandbox, tmp_path
):
    proof = tmp_path / "ran"
    await shell(sandbox, NEST.format(proof=proof))
    for text in ("two", "three"):
        await shell(sandbox, f"echo {text} > n/f")
        with pytest.raises(SandboxCallError, match=r"repository inside|cannot be taken"):
            await workspace.take()
    assert not proof.exists()


async def test_configuration_left_in_the_scratch_clone_changes_nothing(workspace, sandbox, repository, base):
    await shell(
        sandbox,
        "git config filter.x.clean 'echo forged' && git config core.fsmonitor 'echo' && "
        "git config core.excludesFile $PWD/.git/ex && echo 'app.py' > .git/ex && "
        "mkdir -p .git/info && echo app.py > .git/info/exclude "
        "&& printf '[filter \"x\"]\\n clean = echo forged\\n' > $HOME/.gitconfig "
        "&& git update-index --assume-unchanged app.py && echo '*.py filter=x' > .gitattributes "
        "&& echo 'x = 3' > app.py",
    )
    tree = await workspace.take()
    assert repository.read(tree, "app.py") == b"x = 3\n"


async def test_the_scratch_clones_own_git_folder_may_be_destroyed(workspace, sandbox, repository, base):
    await shell(sandbox, "rm -rf .git; echo 'x = 4' > app.py")
    tree = await workspace.take()
    assert repository.read(tree, "app.py") == b"x = 4\n"


async def test_a_read_only_folder_does_not_keep_the_scratch_clone_from_being_opened_anew(
    workspace, sandbox, base
):
    await shell(sandbox, "mkdir ro && echo a > ro/a && chmod 0500 ro")
    await workspace.open(base)
    assert await shell(sandbox, "ls") == "app.py\nsub\n"


async def test_a_patch_brings_unfinished_work_back(workspace, sandbox, repository, base):
    before = repository.tree_of(base)
    await shell(sandbox, "printf 'a\\0b' > binary; echo 'x = 5' > app.py")
    tree = await workspace.take()
    patch = repository.patch(before, tree)
    assert repository.apply(before, patch) == tree
    assert repository.apply(tree, patch) is None
