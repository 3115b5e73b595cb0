"""The commands teach, show and change, and tell a mistake in one line with exit status 1."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperGroup as Group
from typer.main import get_command

from accounts import schema
from accounts.chain import LEDGER
from accounts.db import Database, WriterLock
from ivr.cli import EXPECTED, VERBS, command_line
from ivr.cli.inmate import VERBS as INMATE_VERBS
from ivr.cli.number import VERBS as NUMBER_VERBS
from ivr.facility.file import read
from tests.controller.conftest import Ivr, Said
from tests.controller.test_facility_file import contents
from tests.database import only_sqlite
from tests.transcripts.play import FACILITY, World

ALL = [verb for verbs in VERBS.values() for verb in verbs]
JAIL = "example-county-jail"


def is_one_line(said: Said, *words: str) -> bool:
    """A mistake, told in one line that holds these words."""
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("ivr: ")
    assert said.err.count("\n") == 1
    return all(word in said.err for word in words)


def test_help_names_every_verb_and_where_settings_come_from(ivr: Ivr) -> None:
    said = ivr("--help")
    assert said.status == 0
    assert all(f" {verb} " in said.out for verb in ALL)
    assert "IVR_CONFIG" in said.out
    assert ivr().out.strip() == said.out.strip()


@pytest.mark.parametrize("verbs", VERBS.values(), ids="-".join)
def test_a_verb_loads_all_verbs_of_its_module_and_no_other(verbs: Sequence[str]) -> None:
    for verb in verbs:
        assert sorted(cast("Group", get_command(command_line([verb]))).commands) == sorted(verbs)


def test_each_mistake_that_is_told_in_a_line_is_one_that_is_raised() -> None:
    for name in EXPECTED:
        module, _, kind = name.rpartition(".")
        assert issubclass(getattr(import_module(module), kind), Exception)


@pytest.mark.parametrize(
    "verb",
    [
        *ALL,
        "import inmates",
        "import numbers",
        "import blocked",
        *(f"inmate {verb}" for verb in INMATE_VERBS),
        *(f"number {verb}" for verb in NUMBER_VERBS),
        "requests list",
        "appointment add",
        "appointment list",
        "appointment cancel",
        "requests approve",
        "requests refuse",
        "service list",
        "service done",
        "service refuse",
        "account deposit",
        "account refund",
        "account close",
        "ledger verify",
        "ledger show",
        "ledger head",
        "db upgrade",
        "db downgrade",
        "db current",
    ],
    ids=lambda verb: verb.replace(" ", "-"),
)
def test_the_help_of_each_verb_teaches(ivr: Ivr, verb: str) -> None:
    said = ivr(*verb.split(), "--help")
    assert (said.status, said.err) == (0, "")
    assert f"Usage: ivr {verb}" in said.out
    sentences = [line for line in said.out.splitlines() if line.strip().endswith(".")]
    assert sentences
    assert all(len(line) <= 80 for line in said.out.splitlines())


@pytest.mark.parametrize("words", ["lode", "calls --colour", "cdr --most 0", "load", "db up", "cdr a b"])
def test_a_word_that_there_is_not_is_told_with_the_usage(ivr: Ivr, words: str) -> None:
    said = ivr(*words.split())
    assert (said.status, said.out) == (2, "")
    assert "Usage: ivr" in said.err
    assert "Traceback" not in said.err


@only_sqlite
def test_shell_completion_is_there(ivr: Ivr, backend: str) -> None:
    assert backend
    assert "--install-completion" in ivr("--help").out
    completed = subprocess.run(
        [sys.executable, "-m", "ivr.cli"],
        env={**os.environ, "_IVR_COMPLETE": "complete_bash", "COMP_WORDS": "ivr c", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"calls", "cdr"} <= set(completed.stdout.split())


def test_the_schema_goes_up_and_down(
    ivr: Ivr, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_DATABASE_URL", empty_database_url)
    if "sqlite" in empty_database_url:
        Path(empty_database_url.removeprefix("sqlite:///")).touch()
    head = schema.head()
    assert ivr("db", "current").out == "there is no schema yet: ivr db upgrade\n"
    assert ivr("db", "upgrade").out == f"The schema is at {head}.\n"
    assert ivr("db", "current").out == f"{head}\n"
    assert ivr("db", "downgrade", "0001").out == "The schema is at 0001.\n"
    assert is_one_line(ivr("calls"), "run `ivr db upgrade` first")
    assert is_one_line(ivr("cdr"), "run `ivr db upgrade` first")
    assert is_one_line(ivr("load", str(FACILITY)), "run `ivr db upgrade` first")
    assert ivr("db", "downgrade", "base").out == "The schema is at nothing.\n"
    assert ivr("db", "upgrade").out == f"The schema is at {head}.\n"


def test_a_revision_that_there_is_not_is_told_in_one_line(ivr: Ivr, on_database: str) -> None:
    assert is_one_line(ivr("db", "upgrade", "9999"), "9999")
    assert is_one_line(ivr("db", "downgrade", "nonsense"), "nonsense")
    assert schema.current(on_database) == schema.head()


def test_loading_tells_what_changed(ivr: Ivr, on_database: str) -> None:
    said = ivr("load", str(FACILITY))
    assert said.status == 0
    assert "facility example-county-jail: added" in said.out
    assert "prepaid/example-county-jail/family-one: opened with $5.00" in said.out
    assert "2468" not in said.out
    assert ivr("load", str(FACILITY)) == Said(0, "nothing to change\n", "")


def test_a_quote_is_the_bill(ivr: Ivr, on_database: str) -> None:
    ivr("load", str(FACILITY))
    words = ("quote", "--facility", JAIL, "--number", "217 555 0101", "--at", "2026-11-23 12:00")
    said = ivr(*words)
    assert said.status == 0
    assert said.out.startswith("+12175550101: local, 0.06 for 60 s by 60 s, from 60 s on by 1 s\n")
    assert "15       0.90" in said.out
    told = json.loads(ivr(*words, "--minutes", "7", "--json").out)
    assert told["prices"] == [
        {"minutes": 7, "price": "0.42", "tax": "0.00", "agency pays": "0.00", "you pay": "0.42"}
    ]
    free = ("quote", "--facility", JAIL, "--number", "+1 217 555 0110")
    assert ivr(*free).out == "+12175550110: local, free: nobody pays for calls to this number\n"
    assert json.loads(ivr(*free, "--json").out)["prices"] == []
    early = (*words[:-1], "2026-04-06T02:00+00:00")  # the evening before the tariff begins
    assert is_one_line(ivr(*early), "no rate")


def test_a_quote_abroad_says_which_country(ivr: Ivr, on_database: str, tmp_path: Path) -> None:
    for file in FACILITY.parent.glob("demonstration*.toml"):
        with_abroad = file.read_text().replace('"interstate"]', '"interstate", "international"]')
        (tmp_path / file.name).write_text(with_abroad)
    assert ivr("load", str(tmp_path / FACILITY.name)).status == 0
    abroad = ivr("quote", "--facility", JAIL, "--number", "+442071234567", "--at", "2026-11-23 12:00").out
    assert abroad.startswith("+442071234567: international to United Kingdom, 0.06 for 60 s")


def test_what_has_no_price_is_told_in_one_line(ivr: Ivr, on_database: str) -> None:
    ivr("load", str(FACILITY))
    assert is_one_line(ivr("quote", "--facility", "nowhere", "--number", "2175550101"), "no facility nowhere")
    assert is_one_line(ivr("quote", "--facility", JAIL, "--number", "911"), "emergency_number")
    assert is_one_line(ivr("quote", "--facility", JAIL, "--number", "+442071234567"), "no rate")
    assert is_one_line(ivr("quote", "--facility", JAIL, "--number", "1 900 555 1234"), "number_type_blocked")
    assert is_one_line(ivr("quote", "--facility", JAIL, "--number", "mother"), "number_invalid")
    early = ("--at", "2020-01-01")
    assert is_one_line(ivr("tariff", "show", "--facility", JAIL, *early), "no tariff on 2020-01-01")


def test_a_tariff_is_shown_with_its_caps_and_plans(ivr: Ivr, on_database: str) -> None:
    ivr("load", str(FACILITY))
    said = ivr("tariff", "show", "--facility", JAIL, "--at", "2026-11-23")
    assert said.out.startswith("example-county-2026, from 2026-04-06 to further notice\n")
    assert "0.13 (47 CFR" in said.out
    assert "pays from 23 calls of full length, or 334 minutes, on" in said.out
    assert max(map(len, said.out.splitlines())) <= 100
    assert ivr("tariff", "check") == Said(0, "nothing to object to\n", "")


def test_a_tariffs_file_is_checked_before_it_is_loaded(ivr: Ivr, tmp_path: Path) -> None:
    (good,) = (FACILITY.with_name(name) for name in read(FACILITY).beside)
    place = ("--facility", str(FACILITY))
    assert ivr("tariff", "check", str(good), *place) == Said(0, "nothing to object to\n", "")
    assert ivr("tariff", "check", str(good)).out.endswith("nothing to object to; no cap was checked\n")
    free = tmp_path / "free.toml"
    free.write_text(FACILITY.read_text().replace('state = "IL"', 'state = "MA"'))
    (free.parent / good.name).write_text(good.read_text())
    said = ivr("tariff", "check", str(good), "--facility", str(free))
    assert said.status == 0
    assert "warning: From 2026-04-06 calls are free by law" in said.out
    dear = tmp_path / "dear.toml"
    dear.write_text(good.read_text().replace('"0.06"', '"0.14"'))
    said = ivr("tariff", "check", str(dear), *place)
    assert (said.status, said.out.count("at most 0.13")) == (1, 3)
    dear.write_text(good.read_text().replace('"0.06"', "0.14"))
    assert is_one_line(ivr("tariff", "check", str(dear), *place), "rate.0.per_minute: expected an amount")
    assert is_one_line(ivr("tariff", "check", str(tmp_path / "absent.toml")), "absent.toml: No such file")


def test_mistakes_of_every_kind_are_one_line(
    ivr: Ivr, on_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(FACILITY.read_text().replace('kind = "jail"', 'kind = "camp"'))
    for name, text in read(FACILITY).beside.items():
        bad.with_name(name).write_text(text)
    assert is_one_line(ivr("load", str(bad)), "bad.toml: facility.kind:")
    assert is_one_line(ivr("load", str(tmp_path / "absent.toml")), "absent.toml: No such file")
    assert is_one_line(ivr("cdr", "f" * 32), "there is no call ffff")
    with WriterLock.take(on_database):
        assert is_one_line(ivr("load", str(FACILITY)), "is the writer of")
        assert is_one_line(ivr("db", "upgrade"), "is the writer of")
    monkeypatch.setenv("IVR_AGI_PORT", "http")
    assert is_one_line(ivr("calls"), "IVR_AGI_PORT")
    monkeypatch.delenv("IVR_AGI_PORT")
    for url in (
        "nonsense",
        "mysql://u:hidden@h/d",
        "postgresql://u:hidden@127.0.0.1:1/d",
        "sqlite:////no/where",
    ):
        monkeypatch.setenv("IVR_DATABASE_URL", url)
        for words in (["calls"], ["db", "current"], ["db", "upgrade"], ["load", str(FACILITY)]):
            said = ivr(*words)
            assert said.status == 1
            assert said.err.startswith("ivr: ")
            assert "Traceback" not in said.err
            assert "hidden" not in said.err


def test_lists_and_records_fit_eighty_columns(ivr: Ivr, records: list[str]) -> None:
    for words in (["calls"], ["cdr"], ["cdr", records[0]]):
        said = ivr(*words)
        assert (said.status, said.err) == (0, "")
        assert all(len(line) <= 80 for line in said.out.splitlines())
        assert "…" not in said.out


def test_calls_in_progress_are_listed(ivr: Ivr, records: list[str]) -> None:
    heading, row = ivr("calls").out.splitlines()
    assert heading.split() == ["call", "station", "inmate", "number", "state", "payer", "limit", "since"]
    assert row.split() == [
        *(
            records[3][:8],
            "demo-a1",
            "1001",
            "+12175550102",
            "accepted",
            "prepaid",
            "15:00",
            "12:04",
        ),
    ]


def test_staff_unlock_an_inmate(ivr: Ivr, world: World, on_database: str) -> None:
    assert ivr("inmate", "unlock", "1001", "--note", "Showed a card").out == (
        "inmate 1001: no wrong PINs were counted\n"
    )
    assert is_one_line(ivr("inmate", "unlock", "9999", "--note", "why"), "has no inmate 9999")
    assert ivr("inmate", "unlock", "1001").status == 2


def test_a_load_can_be_rehearsed(ivr: Ivr, on_database: str, tmp_path: Path) -> None:
    rehearsed = ivr("load", str(FACILITY), "--dry-run")
    assert rehearsed.status == 0
    assert ivr("load", str(FACILITY)) == rehearsed
    with Database.open(on_database) as database:
        before = database.read_now(contents)
        changed = tmp_path / "changed.toml"
        changed.write_text(FACILITY.read_text().replace("= 15", "= 20").replace("demo-a2", "demo-a3"))
        for name, text in read(FACILITY).beside.items():
            changed.with_name(name).write_text(text)
        said = ivr("load", str(changed), "--dry-run")
        assert said.out.splitlines() == [
            "facility example-county-jail: longest call: 15 min → 20 min",
            "station demo-a3: added",
            "limit of the facility: longest call, weekend: 15 min → 20 min",
        ]
        assert database.read_now(contents) == before
    assert ivr("load", str(changed), "--note", "Longer calls") == said


def test_entries_that_nothing_links_are_a_fault_until_somebody_does(
    ivr: Ivr, world: World, on_database: str
) -> None:
    verified = ivr("ledger", "verify")
    assert verified.status == 1
    assert verified.out.startswith("not in the chain since 2026-11-23 18:00 UTC: nothing proves these")
    assert ivr("jobs", "run", "chain").status == 0
    assert "0 of them not in the chain yet; no fault" in ivr("ledger", "verify").out


def test_whoever_writes_without_a_controller_links_what_they_wrote(
    ivr: Ivr, world: World, on_database: str
) -> None:
    account = "prepaid/example-county-jail/family-one"
    assert ivr("account", "deposit", account, "5", "--note", "by hand").status == 0
    assert "0 of them not in the chain yet; no fault" in ivr("ledger", "verify").out


def test_the_ledger_is_shown_as_a_bank_would_and_verified(ivr: Ivr, world: World, on_database: str) -> None:
    world.database.transact_now(LEDGER.extend)
    shown = ivr("ledger", "show", "family-one")
    assert shown.status == 0
    assert "prepaid/example-county-jail/family-one" in shown.out
    assert "balance 5.00, reserved 0.00, available 5.00" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    [line] = ivr("ledger", "show", "family-one", "--json").out.splitlines()
    assert json.loads(line)["amount"] == "5.00"
    assert is_one_line(ivr("ledger", "show", "nobody's"), "there is no account nobody's")
    assert is_one_line(ivr("ledger", "show", "system"), "several accounts", "system/cash")
    head = ivr("ledger", "head").out.strip()
    verified = ivr("ledger", "verify", "--head", head)
    assert verified.status == 0
    assert verified.out.endswith(f"0 of them not in the chain yet; no fault\nhead {head}\n")
    other = ivr("ledger", "verify", "--head", f"1:{'f' * 64}")
    assert (other.status, other.out.splitlines()[0]) == (
        1,
        "entry 1: its hash is not the one that was kept elsewhere",
    )
    assert is_one_line(ivr("ledger", "verify", "--head", "nonsense"), "--head: expected a head")
