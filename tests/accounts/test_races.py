"""Some rounds of each race; a thousand are `python -m tests.accounts.races`."""

import pytest

from accounts.db import Database
from ivr.policy.request import Payer
from tests.accounts.races import SHARED, Contest


@pytest.mark.parametrize("payer", SHARED)
def test_as_many_win_as_there_is_money_for(database: Database, payer: Payer) -> None:
    contest = Contest.open(database)
    for callers, affordable in ((2, 1), (8, 3), (64, 1), (64, 40)):
        contest.race(payer, callers, 1 if payer is Payer.SUBSCRIPTION else affordable)
    contest.verify()
