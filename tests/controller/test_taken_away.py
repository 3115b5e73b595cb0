"""Nobody blocks a privileged number or a hotline in silence, and a relay not at all."""

import pytest

from ivr.facility.csv_import import import_rows
from ivr.facility.csv_rows import Kind
from ivr.importing import Asked
from ivr.loading import load, rehearse
from ivr.records.alerts import open_alerts
from ivr.staff.desk import StaffError
from tests.controller.test_privileged import staff
from tests.transcripts.play import KEY, World, demonstration

JAIL = "example-county-jail"
DEFENDER, TIPS, PREA, RELAY = "+12175550110", "+18005550112", "+12175550113", "+18005550199"
SPECIAL = f"""
[[number]]
number = "{PREA}"
label = "Outside reports"
hotline_kind = "prea"
code = "77"

[[number]]
number = "{TIPS}"
label = "Tips"
hotline = true

[[number]]
number = "{RELAY}"
label = "Relay"
relay = true

[[blocked]]    """
IS_PRIVILEGED = f"number {DEFENDER} is privileged, and blocked"
IS_PREA = f"number {PREA} is a hotline's (prea), and blocked"
IS_TIPS = f"number {TIPS} is a hotline's, and blocked"
IS_RELAY = f"number {RELAY} is a relay's: no block of it holds (47 CFR 64.6040)"


@pytest.fixture(autouse=True)
def numbers(world: World) -> None:
    """The facility has two hotlines and a relay."""
    world.database.transact_now(load, demonstration(("[[blocked]]    ", SPECIAL)), KEY, world.at)
    assert alerts(world) == []


def alerts(world: World) -> list[str]:
    return [each.text for each in world.database.read_now(open_alerts)]


@pytest.mark.parametrize(
    ("covered", "told"),
    [
        ({"number": DEFENDER}, [IS_PRIVILEGED]),
        ({"number": PREA}, [IS_PREA]),
        ({"prefix": "217555011"}, [IS_PRIVILEGED, IS_PREA]),
        ({"type": "toll_free"}, [IS_TIPS]),
        ({"number": DEFENDER, "inmate_id": "1001"}, [IS_PRIVILEGED]),
        ({"number": "+12175550150"}, []),
        ({"type": "international"}, []),
    ],
)
def test_whoever_blocks_is_told_and_an_alert_stays(
    world: World, covered: dict[str, str], told: list[str]
) -> None:
    answers = [staff(world, "number block", "amy", **covered) for _ in range(2)]
    assert all(answer.split("; alert: ")[1:] == told for answer in answers)
    assert "was blocked already" in answers[1]
    assert alerts(world) == [f"{JAIL}: {each}, by amy: for a test" for each in told]


def test_one_inmates_number_is_not_taken_away_by_a_block_for_another(world: World) -> None:
    staff(world, "number privileged add", "amy", number="2175550150", kind="clergy", inmate_id="1001")
    assert "alert" not in staff(world, "number block", "amy", number="2175550150", inmate_id="1002")
    assert "alert" in staff(world, "number block", "amy", number="2175550150", inmate_id="1001")


def test_a_relay_is_not_blocked(world: World) -> None:
    with pytest.raises(StaffError, match=r"is a relay's, which nobody blocks \(47 CFR 64.6040\)"):
        staff(world, "number block", "amy", number=RELAY)
    assert alerts(world) == []


def test_a_file_that_blocks_them_says_so_each_time_and_leaves_one_alert(world: World) -> None:
    blocks = "".join(
        f'[[blocked]]\nnumber = "{each}"\nnote = "by mistake"\n\n' for each in (DEFENDER, PREA, RELAY)
    )
    file = demonstration(("[[blocked]]    ", SPECIAL.replace("[[blocked]]    ", f"{blocks}[[blocked]]    ")))
    found = sorted([IS_PRIVILEGED, IS_PREA, IS_RELAY])
    for work in (rehearse, load, load):
        told = world.database.transact_now(work, file, KEY, world.at)
        assert [line for line in told if line.startswith("alert: number")] == [f"alert: {e}" for e in found]
        assert len(alerts(world)) == (0 if work is rehearse else 3)


def test_an_import_of_blocks_says_so(world: World) -> None:
    wanted = Asked(Kind.BLOCKED, JAIL, f"number,note\n{DEFENDER},by mistake\n", "amy").read()
    told = world.database.transact_now(import_rows, wanted, KEY, world.at)
    assert told == f"blocked: 1 added, 0 changed, 0 as they were; alert: {IS_PRIVILEGED}"
