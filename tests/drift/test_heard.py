"""Every prompt is heard in some test of a dialogue, and every script is played in one."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ivr.policy.reasons import INAUDIBLE, Cutoff, Denial, Outcome
from prompts.catalogue import Catalogue

TESTS = Path(__file__).parents[1]
#: Whoever writes down here what is heard compares it with all that was heard, line by line.
HEARD_IN = ("transcripts", "telephony", "payments", "controller", "dialplan")


#: The names of facilities are parts of other prompts.
SAID_IN_OTHERS = "facility."
#: Asterisk plays them itself, by the word of the limit that was shortest; some are heard at a telephone, and these are
#: played by the same two lines of the dialplan.
PLAYED_BY_ASTERISK = {
    f"{family}.{limit}"
    for family in ("warning", "ended")
    for limit in (Cutoff.ALLOWANCE, Cutoff.COURTESY, Cutoff.LONGEST_CALL, Cutoff.MAX_COST)
}


def heard(*folders: str) -> set[str]:
    """The first word of every line in the texts of these tests; a family's with each word that is filled in."""
    found: set[str] = set()
    for folder in folders:
        for path in (TESTS / folder).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            words = set(_first_words(tree))
            filled_in = words | {
                node.attr.lower() for node in ast.walk(tree) if isinstance(node, ast.Attribute)
            }
            found |= words | {
                f"{family}{word}" for family in words if family.endswith(".") for word in filled_in
            }
    return found


def _first_words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (line.split(" ")[0] for line in map(str.strip, node.value.splitlines()))


def test_every_prompt_is_heard_in_a_dialogue_of_a_test() -> None:
    prompts = {each for each in Catalogue.load().prompts if not each.startswith(SAID_IN_OTHERS)}
    assert sorted(prompts - PLAYED_BY_ASTERISK - heard(*HEARD_IN)) == []


def test_every_reason_is_heard_at_a_telephone() -> None:
    reasons = {f"ending.{each}" for each in [*Denial, *Outcome] if each not in INAUDIBLE}
    reasons.remove(f"ending.{Outcome.CARD_DECLINED}")  # needs a card processor: in transcripts alone
    assert sorted(reasons - heard("telephony")) == []
