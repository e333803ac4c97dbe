"""No module imports itself by way of others: each can be read, tested and moved with what stands below it."""

import ast
import graphlib
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
PACKAGES = ("autonomous_loop", "embedded_github", "scripted_model")


def modules(src, package):
    """The package's files, by module."""
    files = (src / package).rglob("*.py")
    names = {file: ".".join(file.relative_to(src).with_suffix("").parts) for file in files}
    return {name.removesuffix(".__init__"): file for file, name in names.items()}


def imports(file, known):
    """The modules that a file imports anywhere: for types alone and inside functions, too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in inner}
    return found & known


def circle(src, package):
    """One circle of imports, as the modules on it; empty where there is none."""
    known = modules(src, package)
    graph = {name: imports(file, set(known)) - {name} for name, file in known.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle_of_imports(package):
    assert len(modules(SRC, package)) > 10
    assert circle(SRC, package) == []


@pytest.mark.parametrize(
    "back",
    [
        "from some.a import A",
        "import some.a",
        "if TYPE_CHECKING:\n    from some import a",
        "class B:\n    import some.a",
    ],
)
def test_a_circle_is_found_whatever_closes_it(tmp_path, back):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "__init__.py").write_text("")
    (tmp_path / "some" / "a.py").write_text("from some import b\n")
    (tmp_path / "some" / "b.py").write_text(f"{back}\n")
    assert sorted(set(circle(tmp_path, "some"))) == ["some.a", "some.b"]


def test_what_is_no_circle_passes(tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "a.py").write_text("from some import b, c\n")
    (tmp_path / "some" / "b.py").write_text("from some import c\nimport other\n")
    (tmp_path / "some" / "c.py").write_text("")
    assert circle(tmp_path, "some") == []
