"""A number with what it counts, as a person says it."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 call`, `2 calls`, `1,000 entries`; `many` where that is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
