# ruff: noqa: E501 - sources, one a line
"""Product code that takes hold of a test runner."""

import pytest

from autonomous_loop.verify.project.pytest_settings import read_settings
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.rules.runner_in_product import holds_runner
from autonomous_loop.verify.syntax import read_source


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pytest", "an import of pytest"),
        ("import pytest as p", "an import of pytest"),
        ("from pytest import Item", "an import of pytest"),
        ("def f():\n    from pytest import x", "an import of pytest"),
        ("import importlib\np = importlib.import_module('pytest')", "an import of pytest"),
        ("p = __import__('pytest.x')", "an import of pytest"),
        ("import unittest\nunittest.TestCase.run = f", "a change of unittest.TestCase"),
        ("import unittest.case as c\nc.TestCase.assertEqual = f", "a change of unittest.case.TestCase"),
        ("from unittest import TestCase\nsetattr(TestCase, 'run', f)", "a change of unittest.TestCase"),
        ("import unittest\nfrom unittest import mock\nmock.patch.object(unittest.case, 'x')", "a change of unittest.case"),
        ("import unittest\ndel unittest.TestCase.run", "a change of unittest.TestCase"),
        ("import doctest\ndoctest.OutputChecker.check_output = f", "a change of doctest.OutputChecker"),
    ],
)  # fmt: skip
def test_python(source, found):
    assert read_source("app.py", source.encode()).runner_uses == (found,)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import { expect } from 'vitest'", "an import of vitest"),
        ('import "vitest"', "an import of vitest"),
        ("const v = await import('vitest')", "an import of vitest"),
        ("const { mock } = require('node:test')", "an import of node:test"),
        ("import { jest } from '@jest/globals'", "an import of @jest/globals"),
        ("export { expect } from '@vitest/expect'", "an import of @vitest/expect"),
        ("import expect from 'expect'", "an import of expect"),
        ("globalThis.expect = f", "a use of globalThis.expect"),
        ("if (global.it) f()", "a use of global.it"),
        ("jest.fn()", "a use of jest"),
        ("expect.extend({})", "a use of expect.extend"),
        ("import assert from 'node:assert'; assert.equal = () => {}", "a change of assert"),
        ("const a = require('assert'); a.strict.equal = f", "a change of a"),
        ("import a from 'assert/strict'; a['equal'] = f", "a change of a"),
        ("import a from 'assert'; Object.assign(a, { equal() {} })", "a change of a"),
    ],
)
def test_javascript(source, found):
    assert read_source("src/app.ts", source.encode()).runner_uses == (found,)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("app.py", "import unittest\nclass Mine(unittest.TestCase): ..."),
        ("app.py", "from unittest.mock import Mock\nMock.x = 1\nm = Mock()\nm.run = 2"),
        ("app.py", "import subprocess\nsubprocess.run(['pytest'])\ntext = 'import pytest'"),
        ("app.py", "from .pytest import x\nimport mypytest\napp.unittest = 1"),
        ("app.py", "not python"),
        (
            "a.ts",
            "import assert from 'node:assert'; assert.equal(a, b); const x = assert.equal; if (assert.x == 1) f()",
        ),
        ("a.ts", "import { defineConfig } from 'vitest/config'"),
        ("a.ts", "const expect = (x) => x; obj.jest.fn(); test('x'); window.tests = 1; typeof jest"),
        ("a.ts", "const text = \"import 'vitest'\"; // import 'vitest'"),
        ("a.md", "import pytest"),
    ],
)
def test_what_only_speaks_of_runners_is_no_matter(path, source):
    assert read_source(path, source.encode()).runner_uses == ()


USES = b"import pytest"


def refusal(path, old=None, **base):
    files = {name.replace("__", "/").replace("_py", ".py"): text for name, text in base.items()}
    facts = Facts(sorted(files), read_settings(lambda _: None), (), files.get)
    return [one.code for one in holds_runner(path, old, USES, facts)]


def test_what_imported_its_runner_before_may_go_on():
    assert refusal("app/a.py") == ["runner-in-product"]
    assert refusal("app/a.py", b"import pytest, sys") == []
    assert refusal("app/a.py", b"import sys") == ["runner-in-product"]


def test_one_more_helper_for_tests_beside_others_may_import_it():
    assert refusal("app/testing/more.py", app__testing__one_py=USES) == []
    assert refusal("app/testing/more.py", app__testing__one_py=b"") == ["runner-in-product"]
    assert refusal("app/core.py", app__testing_py=USES) == ["runner-in-product"]
    assert refusal("testing.py", one_py=USES) == ["runner-in-product"]
