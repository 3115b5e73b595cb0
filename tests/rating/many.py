"""`python -m tests.rating.many [COUNT [SEED]]`: so many tariffs by chance, each rated both ways."""

import sys
from random import Random

from rating.money import Money
from tests.rating import agreement
from tests.rating.tariffs import random_case, random_talk_ms

PROGRESS = 10_000


def main(count: int = 100_000, seed: int = 1) -> None:
    """Each case has a seed of its own, so that a failure is repeated alone: `many 1 SEED`."""
    for number in range(seed, seed + count):
        chance = Random(number)
        case = random_case(chance)
        try:
            agreement.check_charge(case)
            agreement.check_longest(case)
            agreement.check_monotone(case, random_talk_ms(chance))
            agreement.check_more_money(case, Money(chance.randint(0, 20_000_000)))
        except AssertionError:
            print(f"seed {number}: the two ways differ, or a limit is wrong")
            raise
        if (done := number - seed + 1) % PROGRESS == 0:
            print(f"{done} of {count} tariffs agree", flush=True)
    print(f"{count} tariffs from seed {seed}: charges, limits and their order agree")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
