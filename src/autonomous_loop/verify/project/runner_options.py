"""Finds the words of a command that are neither options nor files, but values of options.

Each table lists the options that take the next word, by their runner's own documentation. It omits options
that may also stand alone (`--coverage`, `--changed`); the word after those is judged by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_SWITCH = re.compile(r"true|false|\d+")
NODE_VALUES = frozenset({
    "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file",
    "--env-file-if-exists", "--input-type", "--experimental-default-type", "--disable-warning", "--title",
    "--stack-trace-limit", "--unhandled-rejections", "--max-http-header-size", "--diagnostic-dir",
    "--test-concurrency", "--test-name-pattern", "--test-skip-pattern", "--test-reporter",
    "--test-reporter-destination", "--test-shard", "--test-timeout", "--test-isolation", "--test-random-seed",
    "--experimental-test-isolation", "--test-global-setup", "--test-coverage-include",
    "--test-coverage-exclude", "--test-coverage-branches", "--test-coverage-functions",
    "--test-coverage-lines", "--test-rerun-failures", "--watch-path",
})  # fmt: skip
JEST_VALUES = frozenset({
    "-c", "--config", "--rootDir", "--cacheDirectory", "--changedSince", "--collectCoverageFrom",
    "--coverageDirectory", "--coverageProvider", "--coverageThreshold", "--env", "--testEnvironment",
    "--testEnvironmentOptions", "--filter", "--globals", "--globalSetup", "--globalTeardown", "--haste",
    "--maxConcurrency", "-w", "--maxWorkers", "--moduleNameMapper", "--notifyMode", "--outputFile",
    "--preset", "--prettierPath", "--seed", "--resolver", "--runner", "--shard", "--snapshotFormat", "-t",
    "--testNamePattern", "--testFailureExitCode", "--testResultsProcessor", "--testRunner",
    "--testSequencer", "--testTimeout", "--testURL", "--transform", "--workerIdleMemoryLimit",
})  # fmt: skip
# These take every word up to the next option.
JEST_LISTS = frozenset({
    "--coveragePathIgnorePatterns", "--coverageReporters", "--forceCoverageMatch", "--ignoreProjects",
    "--moduleDirectories", "--moduleFileExtensions", "--modulePathIgnorePatterns", "--modulePaths",
    "--projects", "--reporters", "--roots", "--selectProjects", "--setupFiles", "--setupFilesAfterEnv",
    "--snapshotSerializers", "--testMatch", "--testPathIgnorePatterns", "--testRegex",
    "--transformIgnorePatterns", "--unmockedModulePathPatterns", "--watchPathIgnorePatterns",
})  # fmt: skip
VITEST_VALUES = frozenset({
    "-c", "--config", "-r", "--root", "--dir", "--mode", "--project", "--environment", "--pool", "--reporter",
    "--outputFile", "--maxWorkers", "--minWorkers", "--maxConcurrency", "--retry", "--bail", "--shard", "-t",
    "--testNamePattern", "--testTimeout", "--hookTimeout", "--teardownTimeout", "--slowTestThreshold",
    "--exclude", "--configLoader", "--attachmentsDir", "--diff", "--tagsFilter", "--api.host", "--api.port",
    "--browser.name", "--browser.provider", "--coverage.provider", "--coverage.reporter",
    "--coverage.reportsDirectory", "--coverage.include", "--coverage.exclude", "--coverage.extension",
    "--coverage.thresholds.lines", "--coverage.thresholds.functions", "--coverage.thresholds.branches",
    "--coverage.thresholds.statements", "--outputFile.html", "--outputFile.json", "--outputFile.junit",
    "--outputFile.blob", "--poolOptions.forks.maxForks", "--poolOptions.forks.minForks",
    "--poolOptions.threads.maxThreads", "--poolOptions.threads.minThreads", "--sequence.hooks",
    "--sequence.seed", "--typecheck.checker", "--typecheck.include", "--typecheck.tsconfig",
})  # fmt: skip
PLAYWRIGHT_VALUES = frozenset({
    "-c", "--config", "-g", "--grep", "-gv", "-G", "--grep-invert", "-j", "--workers", "--reporter",
    "--output", "--retries", "--timeout", "--global-timeout", "--max-failures", "--repeat-each", "--shard",
    "--trace", "--tsconfig", "--ui-host", "--ui-port", "--browser", "-b", "--name", "--test-list",
    "--test-list-invert",
})  # fmt: skip
PLAYWRIGHT_LISTS = frozenset({"--project"})
MOCHA_VALUES = frozenset({
    "--config", "--package", "-R", "--reporter", "-O", "--reporter-option", "--reporter-options", "-r",
    "--require", "--file", "--spec", "--extension", "--ignore", "--exclude", "-t", "--timeout", "--timeouts",
    "-s", "--slow", "-j", "--jobs", "--retries", "-g", "--grep", "-f", "--fgrep", "-u", "--ui", "-n",
    "--node-option", "--watch-files", "--watch-ignore", "--global", "--globals", "--import", "--loader",
    "--experimental-loader",
})  # fmt: skip


def values_at(words: Sequence[str], single: Collection[str], lists: Collection[str] = ()) -> frozenset[int]:
    """Return the positions of words that are values of an option before them.

    Args:
        words: as written in the shell text.
        single: options that take the next word.
        lists: options that take every word up to the next option.
    """
    found: set[int] = set()
    option = ""
    for at, word in enumerate(words):
        if word.startswith("-"):
            option = word
            continue
        # An option with an optional value may have one of these.
        if option in lists or option in single or (option and _SWITCH.fullmatch(word)):
            found.add(at)
        option = option if option in lists else ""
    return frozenset(found)
