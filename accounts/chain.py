"""The chain over the book: no transfer is changed or taken out unseen."""

from typing import Final

from sqlalchemy import BigInteger, type_coerce

from accounts.db import Chain
from accounts.tables import ledger_link, transfer

#: The fields of a transfer that a link covers, the instant as the database keeps it.
LEDGER: Final = Chain(
    "ledger",
    ledger_link,
    ledger_link.c.transfer_id,
    (
        transfer.c.id,
        transfer.c.kind,
        transfer.c.unit,
        transfer.c.debit_id,
        transfer.c.credit_id,
        transfer.c.amount,
        transfer.c.resolves_id,
        type_coerce(transfer.c.posted_at, BigInteger),
    ),
    transfer.c.posted_at,
)
