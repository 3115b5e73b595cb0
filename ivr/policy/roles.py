"""What operators may do: four roles, each of which may do what those before it may."""

from enum import StrEnum


class Role(StrEnum):
    """From the one that only looks to the one that decides who may do what."""

    VIEWER = "viewer"  # looks
    OPERATOR = "operator"  # changes what is set, ends calls, switches telephones off
    INVESTIGATOR = "investigator"  # listens, opens and keeps recordings
    ADMINISTRATOR = "administrator"  # loads facilities, corrects accounts, and appoints operators


def may(role: Role, needed: Role) -> bool:
    """Whether the one role may do what needs the other."""
    order = list(Role)
    return order.index(role) >= order.index(needed)


def needed_or_above(needed: Role) -> str:
    """Whose it is to do something, in words."""
    order = list(Role)
    names = [str(each) for each in order[order.index(needed) :]]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
