"""Texts, code, reasons and dialplan say the same words, both ways."""

import ast
import re
from pathlib import Path

from ivr.policy.keys import ACCEPTING, BLOCKING, OfferKeys
from ivr.policy.reasons import INAUDIBLE, UNFORESEEN, Cutoff, Denial, Outcome
from ivr.policy.request import NotCovered
from ivr.policy.service import Missed
from ivr.policy.volume import Volume
from ivr.runner import SCRIPTS
from prompts.catalogue import Catalogue
from tests.drift.dialogues import VERBS

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.load()
EXTENSIONS = (ROOT / "dialplan" / "templates" / "extensions.conf").read_text("utf-8")


def _said_by_flows() -> dict[str, set[str]]:
    """Every prompt that a dialogue says by name, with the variables that it gives."""
    said: dict[str, set[str]] = {}
    for path in [*(ROOT / "ivr" / "flows").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in VERBS or not node.args:
                continue
            prompt = node.args[-1] if name == "declined" else node.args[0]
            given = {keyword.arg for keyword in node.keywords if keyword.arg} - {
                "language",
                "up_to",
                "seconds",
            }
            for constant in ast.walk(prompt):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    said.setdefault(constant.value, set()).update(given)
    return said


def _families() -> set[str]:
    """Prompts that are named by a word of an enumeration."""
    reasons = {f"ending.{each}" for each in [*Denial, *Outcome] if each not in INAUDIBLE}
    limits = {f"{family}.{each}" for each in Cutoff for family in ("warning", "ended")}
    limits -= {f"warning.{each}" for each in UNFORESEEN}
    limits.add(f"ended.{Outcome.CUT_OFF}")  # a talk that staff end, without a warning
    told = {f"not_covered.{each}" for each in NotCovered} | {f"missed.{each}" for each in Missed}
    return reasons | limits | told | {f"volume.{each}" for each in Volume} | _by_key()


def _by_key() -> set[str]:
    """Prompts that name a key which a facility chooses."""
    costs = {OfferKeys(accept=str(key)).cost for key in ACCEPTING}
    keys = {"accept_key": ACCEPTING, "hotline_key": ACCEPTING, "link_key": ACCEPTING, "cost_key": costs}
    keys |= {"block_key": BLOCKING, "block_confirm": BLOCKING}
    return {f"{family}.{key}" for family, each in keys.items() for key in each}


def _said_elsewhere() -> set[str]:
    by_runner = set(re.findall(r'told="(\w+)"', (ROOT / "ivr" / "runner.py").read_text("utf-8")))
    by_dialplan = set(re.findall(r"\bivr/([\w.]+)[)&]", EXTENSIONS))
    facilities = {each for each in CATALOGUE.prompts if each.startswith("facility.")}
    return (
        by_runner
        | by_dialplan
        | facilities
        | {"declined", "refused", "blocked", "not_accepted"} - {"declined"}
    )


def test_every_prompt_that_is_said_exists_with_these_variables() -> None:
    for prompt_id, given in _said_by_flows().items():
        if prompt_id.endswith("."):  # completed by a word of an enumeration, or by a key
            assert any(each.startswith(prompt_id) for each in _families()), prompt_id
            continue
        assert prompt_id in CATALOGUE.prompts, prompt_id
        assert set(CATALOGUE.prompts[prompt_id].variables) == given, prompt_id


def test_every_prompt_is_said_somewhere() -> None:
    said = set(_said_by_flows()) | _families() | _said_elsewhere()
    assert set(CATALOGUE.prompts) - said == set()


def test_every_reason_limit_and_fallback_has_its_prompt() -> None:
    assert _families() <= set(CATALOGUE.prompts)
    families = tuple({f"{each.partition('.')[0]}." for each in _families()})
    assert {each for each in CATALOGUE.prompts if each.startswith(families)} == _families()


def test_the_dialplan_opens_the_scripts_that_there_are() -> None:
    opened = set(re.findall(r"AGI\(agi://[^/]+/(\w+)", EXTENSIONS))
    assert opened == set(SCRIPTS)


def test_the_dialplans_variables_are_those_that_the_controller_sets() -> None:
    controls = (ROOT / "ivr" / "controls" / "inmate.py").read_text("utf-8")
    for name in ("CALL_ID", "DESTINATION", "LIMIT_MS", "RING_SECONDS", "FACILITY_NUMBER", "WARNING", "ENDED"):
        assert f'"{name}":' in controls
        assert f"${{{name}}}" in EXTENSIONS


def test_every_reason_for_a_refusal_is_heard_at_a_telephone() -> None:
    stories = (ROOT / "tests" / "telephony" / "stories").glob("*.py")
    told = "\n".join(each.read_text("utf-8") for each in stories)
    heard = {each for each in Denial if f"Denial.{each.name}" in told or f"ending.{each}" in told}
    assert heard == set(Denial)
