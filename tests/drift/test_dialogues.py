"""The dialogues are drawn as they are, and each of their scripts is reached by some test."""

from collections import Counter

from ivr.runner import SCRIPTS
from tests.drift.dialogues import DRAWN, Script, drawn, said_when_declined, scripts_of_flows
from tests.drift.test_heard import HEARD_IN, TESTS, heard

TRANSCRIPTS = TESTS / "transcripts"


#: Scripts that say nothing of their own, with the lines of a dialogue which nothing else can lead to.
SEEN_IN = {
    "accept.is_greeted": ("test_accept.py", "provider_greeting\n        > silence\n        call_from"),
    "accept.record": ("test_accept.py", "connecting\n    talks 60 s\n"),
    "call_back.change_language": ("test_service_line.py", "> silence{MENU}\n        > 8{MENU}\n"),
    "call_back.tell_rates": ("test_service_line.py", "> 8{MENU}\n        > 6\n        rates_each_minute"),
    "call_back.ask_for_a_person": (
        "test_service_line.py",
        "how_charged{MENU}\n        > 0\n        person_promised",
    ),
}


def test_the_drawn_dialogues_are_those_of_the_code() -> None:
    assert DRAWN.read_text("utf-8") == drawn(), "python -m tests.drift.dialogues > docs/dialogues.md"


def test_every_script_is_reached_in_a_dialogue_of_a_test() -> None:
    scripts = scripts_of_flows()
    for name, (file, lines) in SEEN_IN.items():
        assert lines in (TRANSCRIPTS / file).read_text("utf-8"), f"{name}: where else is it seen?"
    assert sorted(set(scripts) - _reached(scripts)) == sorted(SEEN_IN)


def _reached(scripts: dict[str, Script]) -> set[str]:
    """Those of which something is heard that no other says, and those through which alone such a one is reached."""
    said_by = Counter(prompt for script in scripts.values() for prompt in script.says)
    told = heard(*HEARD_IN)
    families = tuple(each for each in said_by if each.endswith("."))
    told |= {family for family in families if any(each.startswith(family) for each in told - {family})}
    reached = {f"{entry}.{entry}" for entry in SCRIPTS}
    if said_when_declined() <= told:
        reached.add("accept.declined")
    reached |= {
        name for name, script in scripts.items() if any(said_by[each] == 1 for each in script.says & told)
    }
    before: dict[str, set[str]] = {name: set() for name in scripts}
    for name, script in scripts.items():
        for _, to in script.follows:
            before[to].add(name)
    while more := {
        only for name in reached for only in before[name] if before[name] == {only} and only not in reached
    }:
        reached |= more
    return reached
