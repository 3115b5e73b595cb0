"""What a reader may count on everywhere."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_too_long_to_read() -> None:
    long = [
        path.name for path in _tracked("*.py") if len(path.read_text("utf-8").splitlines()) > LONGEST_FILE
    ]
    assert not long


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{path.name}:{function.name}"
        for path in _tracked("ivr/*.py", "rating/*.py", "accounts/*.py", "prompts/*.py", "dialplan/*.py")
        for function in _functions(path)
        if (function.end_lineno or 0) - function.lineno > LONGEST_FUNCTION and function.name != "register"
    ]
    assert not long


def test_no_float_touches_money() -> None:
    for path in _tracked("rating/*.py", "accounts/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not (isinstance(node, ast.Name) and node.id == "float"), path.name


def test_one_place_reads_the_clock() -> None:
    for path in _tracked("ivr/*.py", "rating/*.py", "accounts/*.py"):
        if path.name in ("clock.py", "build_area_codes.py"):  # the second is a tool that dates a data file
            continue
        text = path.read_text("utf-8")
        assert "datetime.now(" not in text, path.name
        assert "utcnow(" not in text, path.name
        assert "date.today(" not in text, path.name


def test_no_sql_is_built_from_strings() -> None:
    for path in _tracked("ivr/*.py", "accounts/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                first = node.values[0] if node.values else None
                start = str(first.value) if isinstance(first, ast.Constant) else ""
                assert not start.lstrip().upper().startswith(("SELECT ", "INSERT ", "UPDATE ", "DELETE ")), (
                    path.name
                )


def test_no_path_of_a_machine_is_committed() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in _tracked("*.py", "*.md", "*.toml", "*.txt", "Makefile", ".ci/*")
        for line in path.read_text("utf-8").splitlines()
        if any(place in line for place in ("/ro" + "ot/", "/ho" + "me/", "/wo" + "rk/"))
    ]
    assert not wrong
