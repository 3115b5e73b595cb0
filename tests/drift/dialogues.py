"""Draws the dialogues from their code: `python -m tests.drift.dialogues > docs/dialogues.md`.

A box is a script of `ivr/flows` that says something or asks for a key; an arrow is what follows it, with the key
that leads there, or the wish where a facility chooses the key.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr.runner import SCRIPTS

ROOT = Path(__file__).parents[2]
DRAWN = ROOT / "docs" / "dialogues.md"
#: `declined` says its last argument.
VERBS = {"say", "ask", "speech", "declined"}
HEAD = """\
# The dialogues, as their code has them

Drawn from `ivr/flows` by `python -m tests.drift.dialogues`; a test holds it to the code. A box is a script, which reads
like what callers hear; an arrow is what may follow, with the key that leads there, or with the wish where a facility
chooses the key. What each says is in `tests/transcripts`.
"""


@dataclass(slots=True)
class Script:
    """One coroutine of the dialogues, and what it goes on with: each by the keys that lead there."""

    name: str  # module.function
    follows: list[tuple[str, str]] = field(default_factory=list)
    says: frozenset[str] = (
        frozenset()
    )  # prompts by name; what ends with a dot is completed by a word or a key


def drawn() -> str:
    """The whole page: one graph for each script that the dialplan opens."""
    scripts = scripts_of_flows()
    parts = [HEAD]
    for entry in SCRIPTS:
        reached = _reached(f"{entry}.{entry}", scripts)
        lines = [
            f"    {_box(name)} -->{f'|{key}|' if key else ''} {_box(to)}"
            for name in reached
            for key, to in scripts[name].follows
        ]
        parts.append("\n".join([f"## {entry}", "", "```mermaid", "flowchart LR", *lines, "```", ""]))
    return "\n".join(parts)


def _box(name: str) -> str:
    module, _, function = name.partition(".")
    return f"{module}_{function}[{function.replace('_', ' ')}]"


def _reached(entry: str, scripts: Mapping[str, Script]) -> list[str]:
    found, waiting = [], [entry]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += [to for _, to in scripts[name].follows]
    return found


def scripts_of_flows() -> dict[str, Script]:
    """Every script by its name."""
    trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in (ROOT / "ivr" / "flows").glob("*.py")}
    found = {}
    for module, tree in sorted(trees.items()):
        known = _known(module, tree, trees)
        tables = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign | ast.Assign)
            for target in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Dict)
        }
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef):
                follows = dict.fromkeys(_follows(node, known, tables))
                name = f"{module}.{node.name}"
                found[name] = Script(name, list(follows), frozenset(_says(node)))
    return found


def said_when_declined() -> set[str]:
    """What `accept.declined` says: whoever goes on with it names the prompt."""
    tree = ast.parse((ROOT / "ivr" / "flows" / "accept.py").read_text("utf-8"))
    goes_on = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    named = [each.args[-1] for each in goes_on if getattr(each.func, "id", "") == "declined"]
    return {str(each.value) for each in named if isinstance(each, ast.Constant)}


def _says(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
            if name in VERBS:
                words = [word for given in each.args for word in ast.walk(given)]
                yield from (str(word.value) for word in words if isinstance(word, ast.Constant))


def _known(module: str, tree: ast.Module, trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """The scripts that a module can name: its own, and those that it imports."""

    def of(name: str) -> set[str]:
        return {node.name for node in trees[name].body if isinstance(node, ast.AsyncFunctionDef)}

    known = {name: f"{module}.{name}" for name in of(module)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ivr.flows."):
            other = (node.module or "").removeprefix("ivr.flows.")
            known |= {each.name: f"{other}.{each.name}" for each in node.names if each.name in of(other)}
    return known


def _follows(
    node: ast.AST, known: Mapping[str, str], tables: Mapping[str, ast.Dict], keys: str = ""
) -> Iterator[tuple[str, str]]:
    """What a piece of code goes on with, in its order; a table of keys stands for the scripts in it."""
    for child in ast.iter_child_nodes(node):
        below = _keys(child.pattern) or keys if isinstance(child, ast.match_case) else keys
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id in known:
            yield below, known[child.func.id]
        if isinstance(child, ast.Name) and child.id in tables:
            for key, to in zip(tables[child.id].keys, tables[child.id].values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(to, ast.Name) and to.id in known:
                    yield str(key.value), known[to.id]
        yield from _follows(child, known, tables, below)


def _keys(pattern: ast.pattern) -> str:
    found = [_key(each.value) for each in ast.walk(pattern) if isinstance(each, ast.MatchValue)]
    return " or ".join(filter(None, found))


def _key(value: ast.expr) -> str:
    match value:
        case ast.Constant():
            return str(value.value)
        case ast.Attribute(ast.Name("Wish"), wish):
            return wish.replace("_", " ").lower()
        case _:
            return ""


if __name__ == "__main__":
    print(drawn(), end="")
