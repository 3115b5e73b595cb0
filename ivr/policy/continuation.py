"""Whether a call goes on with the last one of the inmate to the number, so that nobody pays for a start twice."""

from dataclasses import replace

from ivr.policy.request import Allow, CallRequest, Payer
from ivr.policy.rules import SHORTEST_CALL_MS, decide


def continuing(ask: CallRequest) -> CallRequest:
    """The request as a continuation, if the last call can be gone on with and its payer pays for this one too.

    A call that a limit, an hour, a switch or staff ended is over, and so is one of whose longest talk less than a
    minute is left: a continuation has that rest, so that a chain of them is never longer than one call.
    """
    last = ask.last_call
    if last is None or last.was_ended or (last.rest is not None and last.rest.ms < SHORTEST_CALL_MS):
        return ask
    if ask.only_payer not in {None, last.payer}:
        return ask
    if last.payer is Payer.FREE and ask.agency_rule is None:
        return ask  # nobody has paid anything
    price = ask.price.continued() if ask.price else None
    as_one = replace(ask, continues=last, price=price)
    match decide(as_one):
        case Allow(payment=payment) if (payment.payer, payment.account_id) == (last.payer, last.account_id):
            return as_one
    return ask
