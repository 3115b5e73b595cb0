"""A self-learning list: a completed call adds its number to the inmate's own, until the list is full."""

from sqlalchemy import Connection, bindparam, cast, exists, func, insert, or_, select, true

from ivr.facility.tables import allowed_number, facility, inmate, special_number
from ivr.policy.request import PanMode

_inmate = bindparam("inmate_key", type_=allowed_number.c.inmate.type)
_number = bindparam("learned_number", type_=allowed_number.c.number.type)
_LISTED = select(func.count()).where(allowed_number.c.inmate == _inmate).scalar_subquery()
_LEARN = insert(allowed_number).from_select(
    ["inmate", "number", "records", "learned"],
    select(inmate.c.id, cast(_number, allowed_number.c.number.type), true(), true())
    .join(facility, facility.c.id == inmate.c.facility_id)
    .where(
        inmate.c.id == _inmate,
        facility.c.pan_mode == PanMode.SELF_LEARNING,
        or_(facility.c.pan_maximum.is_(None), facility.c.pan_maximum > _LISTED),
        ~exists().where(allowed_number.c.inmate == _inmate, allowed_number.c.number == _number),
        ~exists().where(special_number.c.facility_id == facility.c.id, special_number.c.number == _number),
    ),
)


def learn(conn: Connection, inmate_key: int, number: str) -> None:
    """The inmate has talked with somebody at this number; numbers with rules of their own are nobody's to list."""
    conn.execute(_LEARN, {"inmate_key": inmate_key, "learned_number": number})
