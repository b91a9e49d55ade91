"""The architecture: a layer imports only layers below it, at the top of a file and inside functions."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

#: The layers from bottom to top. A layer is a folder of `coughlab`, or a module beside these folders.
LAYERS = (
    "config",
    "text",
    "task",
    "features",
    "system",
    "audio",
    "datasets",
    "evaluation",
    "classifiers",
    "evidence",
    "studies",
    "charts",
    "detector",
    "audit",
    "serving",
    "live",
    "web",
    "cli",
)


def imported(path: Path) -> set[str]:
    """Dotted names of all imports in a file: ``from a.b import c`` counts as ``a.b.c``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_of(name: str) -> str | None:
    """The module of an imported name; None outside the project."""
    parts = name.split(".")
    while parts:
        path = ROOT.joinpath(*parts)
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            return ".".join(parts)
        parts.pop()
    return None


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "coughlab").rglob("*.py"))
}
IMPORTS = {
    name: {module for one in imported(path) if (module := module_of(one)) and module.startswith("coughlab")}
    for name, path in MODULES.items()
}


def layer(module: str) -> str | None:
    """The layer of a module; None for `coughlab` itself, which is above all layers."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__main__" else None


def test_every_module_is_in_a_layer():
    assert {layer(name) for name in MODULES} - {None} == set(LAYERS)


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name)])
def test_no_module_imports_a_higher_layer(name):
    own = LAYERS.index(layer(name))
    higher = {other for other in IMPORTS[name] if layer(other) and LAYERS.index(layer(other)) > own}
    assert not higher


def test_no_modules_import_each_other_in_a_circle():
    # A package's __init__ re-exports names of its modules, and an import of a module runs it. This is not a cycle.
    imports = {
        name: {other for other in others if not name.startswith(f"{other}.")}
        for name, others in IMPORTS.items()
    }
    done: set[str] = set()

    def visit(name, path):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in sorted(imports[name]):
                visit(other, [*path, name])
            done.add(name)

    for name in imports:
        visit(name, [])


def test_the_walk_sees_imports_inside_functions(tmp_path):
    path = tmp_path / "lazy.py"
    path.write_text("def late():\n    from coughlab.web import api\n    return api\n")
    assert {module_of(name) for name in imported(path)} == {"coughlab.web.api"}
    assert LAYERS.index(layer("coughlab.web.api")) > LAYERS.index(layer("coughlab.audio"))


def test_no_module_imports_streamlit():
    for name, path in MODULES.items():
        assert not {one for one in imported(path) if one.split(".")[0] == "streamlit"}, name


def functions(
    body: list[ast.stmt], name: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Public functions and methods, with their dotted names; functions inside functions are left out."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{name}.{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield f"{name}.{node.name}", node


def lacks_annotation(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a parameter (except `self` and `cls`) or the return value has no annotation."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return function.returns is None or any(
        one.annotation is None and one.arg not in ("self", "cls") for one in named
    )


def test_public_functions_have_type_annotations():
    lacking = [
        name
        for module, path in MODULES.items()
        for name, function in functions(ast.parse(path.read_text()).body, module)
        if lacks_annotation(function)
    ]
    assert not lacking, ", ".join(lacking)


def test_few_modules_are_at_the_top_level():
    assert {path.name for path in (ROOT / "coughlab").glob("*.py")} == {
        "__init__.py",
        "__main__.py",
        "config.py",
        "task.py",
        "text.py",
    }


def test_pages_sections_do_not_import_each_other():
    """Code of several pages is in `pages/shared`; a section belongs to one page."""
    for path in (ROOT / "pages" / "sections").rglob("*.py"):
        own = path.relative_to(ROOT / "pages" / "sections").parts[0].removesuffix(".py")
        others = {one.split(".")[2] for one in imported(path) if one.startswith("pages.sections.")}
        assert others <= {own}, path
