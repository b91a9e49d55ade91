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
    # The version is the only name that all may take from `coughlab` itself.
    name: {module for one in imported(path) - {"coughlab.__version__"} if (module := module_of(one))}
    for name, path in MODULES.items()
}
#: Modules that import others by names that are not written in them: what is found by looking, and what `coughlab` offers.
BY_NAME = {"coughlab", "coughlab.system.registry", "coughlab.system.child"}
#: The folders of `pages`, from the ground up; above them are the pages themselves and `Home`.
FOLDERS = ("components", "shared", "sections")


def layer(module: str) -> str | None:
    """The layer of a module; None for `coughlab` itself and for all outside it."""
    package, *parts = module.split(".")
    return parts[0] if package == "coughlab" and parts and parts[0] != "__main__" else None


def test_every_module_is_in_a_layer():
    assert {layer(name) for name in MODULES} - {None} == set(LAYERS)


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name)])
def test_no_module_imports_a_higher_layer(name):
    own = LAYERS.index(layer(name))
    # `coughlab` itself offers functions of all layers, so it is above them, as are pages, tests and benchmarks.
    higher = {other for other in IMPORTS[name] if not layer(other) or LAYERS.index(layer(other)) > own}
    assert not higher


@pytest.mark.parametrize("name", [name for name in MODULES if name not in BY_NAME])
def test_no_module_hides_an_import(name):
    calls = (node for node in ast.walk(ast.parse(MODULES[name].read_text())) if isinstance(node, ast.Call))
    called = {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    assert not called & {"import_module", "__import__", "exec", "eval"}


def folder_of(module: str) -> int:
    """The place of a module of the pages in the order of `FOLDERS`."""
    parts = module.split(".")
    return FOLDERS.index(parts[1]) if len(parts) > 2 else len(FOLDERS)


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.stem)
def test_no_page_is_imported_and_no_folder_of_pages_imports_a_higher_one(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    others = {
        module for one in imported(path) if (module := module_of(one)) and not module.startswith("coughlab")
    }
    assert all(other.startswith("pages.") and folder_of(other) <= folder_of(name) for other in others)
    assert not {other for other in others if folder_of(other) == len(FOLDERS)}


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
