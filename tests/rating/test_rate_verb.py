"""`ivr rate`: lines in, lines out."""

import json
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from ivr.cli import command_line

CALL = '{"id": 1, "tariff": {"rates": [{"from_s": 0, "price": "0.06"}]}, "call": {"seconds": 61}}'
REFUSED = '{"id": 2, "tariff": {"rates": []}, "call": {"seconds": 61}}'
WRONG = '{"id": 3, "tariff": {"rates": [{"from_s": 0, "price": 0.06}]}, "call": {"seconds": 61}}'


def rate(*words: str, lines: str = "") -> Result:
    return CliRunner().invoke(command_line(["rate"]), ["rate", *words], input=lines)


def test_each_line_of_a_file_or_of_the_input_is_answered_in_its_order(tmp_path: Path) -> None:
    lines = f"{CALL}\n\n{REFUSED}\n"
    file = tmp_path / "calls.jsonl"
    file.write_text(lines, "utf-8")
    said = rate(lines=lines)
    assert said.exit_code == 0
    assert rate(str(file)).stdout == said.stdout
    first, second = map(json.loads, said.stdout.splitlines())
    assert (first["id"], first["cost"]) == (1, "0.12")
    assert second == {"id": 2, "refused": "no_rate"}


def test_a_wrong_line_is_told_and_the_others_are_rated_all_the_same() -> None:
    said = rate(lines=f"{WRONG}\n{CALL}\n")
    assert said.exit_code == 1
    wrong, right = map(json.loads, said.stdout.splitlines())
    assert wrong["error"].startswith("field tariff.rates.0.price: expected")
    assert right["cost"] == "0.12"


def test_bytes_that_are_no_text_are_a_wrong_line(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"\xff\xfe\n")
    assert json.loads(rate(str(file)).stdout) == {"error": "field line: expected one JSON object"}


def test_a_file_that_is_not_there_is_told_with_the_usage(tmp_path: Path) -> None:
    said = rate(str(tmp_path / "gone"))
    assert said.exit_code == 2
    assert "Usage: ivr rate" in said.stderr


def test_an_answer_comes_before_the_next_line_is_asked() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ivr.cli", "rate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(CALL + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["cost"] == "0.12"
