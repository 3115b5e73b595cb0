"""What must hold after every step, read from the database alone: each statement finds what must not be there."""

from typing import Final

from sqlalchemy import Connection, text

from accounts.verification import verify

#: Statements that any database understands, by what is wrong where one finds something.
NEVER: Final = {
    "a unit's credits differ from its debits": """
        SELECT unit AS found FROM account GROUP BY unit HAVING sum(credits) <> sum(debits)""",
    "an account of a payer is below zero": """
        SELECT id AS found FROM account WHERE kind <> 'system' AND credits - debits - held < 0""",
    "the accounts say something else than the transfers": """
        SELECT 'sums' AS found FROM (SELECT sum(credits) AS credits, sum(held) AS held FROM account) a,
            (SELECT coalesce(sum(t.amount), 0) AS credits FROM transfer t
                WHERE t.kind IN ('payment', 'settlement')) m,
            (SELECT coalesce(sum(h.amount), 0) AS held FROM transfer h
                LEFT JOIN transfer r ON r.resolves_id = h.id WHERE h.kind = 'hold' AND r.id IS NULL) o
        WHERE a.credits <> m.credits OR a.held <> o.held""",
    "a hold is open and its call is over, or the other way round": """
        SELECT h.id AS found FROM transfer h LEFT JOIN transfer r ON r.resolves_id = h.id
            LEFT JOIN call c ON c.hold_id = h.id
        WHERE h.kind = 'hold' AND (c.id IS NULL OR (r.id IS NULL) <> (c.sealed_at IS NULL))""",
    "a call is charged above its hold": """
        SELECT c.id AS found FROM call c
        WHERE c.charge > coalesce(c.held, 0) OR c.calls_charged > coalesce(c.held, 0)""",
    "a call's record says another charge than the book": """
        SELECT c.id AS found FROM call c LEFT JOIN transfer s ON s.resolves_id = c.hold_id
        WHERE c.sealed_at IS NOT NULL AND c.charge + c.calls_charged <> coalesce(s.amount, 0)""",
    "more calls of a period were used than it has": """
        SELECT a.id AS found FROM account a JOIN transfer t ON t.debit_id = a.id OR t.credit_id = a.id
        WHERE a.unit = 'calls' AND a.kind <> 'system' GROUP BY a.id
        HAVING sum(CASE WHEN t.kind = 'settlement' THEN t.amount
                WHEN t.debit_id = 'system/calls_used' THEN -t.amount ELSE 0 END)
            > sum(CASE WHEN t.id = a.id || '/credit' THEN t.amount ELSE 0 END)""",
    "a call was given back that took nothing, or less": """
        SELECT g.id AS found FROM transfer g LEFT JOIN transfer s
            ON s.id = substr(g.id, 1, length(g.id) - 10) || 'settlement'
        WHERE g.id LIKE 'call/%/given_back' AND (s.id IS NULL OR s.amount < g.amount)""",
    "more of a period was given back than was paid for it": """
        SELECT p.account_id AS found FROM subscription_period p JOIN transfer r ON r.id = p.account_id || '/refund'
        WHERE r.amount > p.price""",
    "a day is in two periods": """
        SELECT p.account_id AS found FROM subscription_period p JOIN subscription_period q
            ON q.subscription_id = p.subscription_id AND q.account_id <> p.account_id
        WHERE p.first_date <= q.last_date AND q.first_date <= p.last_date""",
    "a payment came in twice, not at all, or without having been paid": """
        SELECT p.id AS found FROM payment p LEFT JOIN transfer t ON t.id = 'payment/' || p.id
        WHERE p.kind IN ('deposit', 'reload', 'subscription', 'paid_call')
            AND coalesce(t.amount, 0) <> CASE p.state WHEN 'succeeded' THEN p.amount ELSE 0 END""",
    "more of a payment was given back than was paid": """
        SELECT p.id AS found FROM payment p JOIN payment r ON r.of_id = p.id AND r.state <> 'failed'
        GROUP BY p.id, p.amount HAVING sum(r.amount) > p.amount""",
    "a state's account has another amount than it is still to get": """
        SELECT a.id AS found FROM account a
            LEFT JOIN unclaimed u ON a.id = 'system/unclaimed/' || u.state AND u.handed_over IS NULL
        WHERE a.id LIKE 'system/unclaimed/%' GROUP BY a.id, a.credits, a.debits
        HAVING a.credits - a.debits <> coalesce(sum(u.amount), 0)""",
    "something else than a call or a period became revenue": """
        SELECT id AS found FROM transfer WHERE credit_id = 'system/revenue' AND kind = 'payment'
            AND id NOT LIKE '%/price' AND id NOT LIKE 'call/%/agency'""",
}
_WHATS: Final = tuple(NEVER)
_CHECK: Final = text(
    " UNION ALL ".join(
        f"SELECT {number} AS what, found FROM ({query}) AS found_{number}"  # our own text alone
        for number, query in enumerate(NEVER.values())
    )
)
#: What a step that is repeated must leave as it is.
_STANDS: Final = text("""
    SELECT (SELECT count(*) FROM transfer), (SELECT sum(credits) + 3 * sum(held) FROM account),
        (SELECT count(*) FROM notice), (SELECT count(*) FROM subscription_period),
        (SELECT sum(length(p.state) + 100 * coalesce(p.captured, 0)) FROM payment p),
        (SELECT count(*) FROM payment), (SELECT count(*) FROM subscription s WHERE s.closed_at IS NULL),
        (SELECT count(*) FROM unclaimed), (SELECT count(*) FROM call c WHERE c.sealed_at IS NULL)""")


def assert_right(conn: Connection) -> None:
    """Nothing is there that must never be."""
    assert [(_WHATS[what], found) for what, found in conn.execute(_CHECK)] == []


def assert_proved(conn: Connection) -> None:
    """The whole book adds up, account by account."""
    assert verify(conn).faults == ()


def standing(conn: Connection) -> tuple[int, ...]:
    """A few figures that change with whatever is done."""
    return tuple(conn.execute(_STANDS).one())
