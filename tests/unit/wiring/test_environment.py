"""What is read of a CI job's environment."""

from autonomous_loop.wiring.environment import RuntimeEnvironment

IN_A_CONTAINER = {
    "GITHUB_WORKSPACE": "/github/workspace",
    "GITHUB_EVENT_PATH": "/github/workflow/event.json",
    "GITHUB_OUTPUT": "/github/file_commands/set_output_1",
    "RUNNER_TEMP": "/github/runner_temp",
}


def test_in_a_container_the_folder_of_all_mounts_is_the_runners_too():
    runtime = RuntimeEnvironment.from_environment(IN_A_CONTAINER)
    assert set(runtime.runner) == {*IN_A_CONTAINER.values(), "/github"}


def test_elsewhere_only_what_the_runner_names():
    named = {
        "GITHUB_WORKSPACE": "/home/runner/work/a/a", "RUNNER_TEMP": "/home/runner/work/_temp",
        "GITHUB_ENV": "", "GITHUB_REPOSITORY": "octo/tiny",
    }  # fmt: skip
    runtime = RuntimeEnvironment.from_environment(named)
    assert runtime.runner == ("/home/runner/work/_temp", "/home/runner/work/a/a")


def test_on_a_persons_machine_there_is_none():
    assert RuntimeEnvironment.from_environment({"HOME": "/root", "GITHUB_TOKEN": "t"}).runner == ()
