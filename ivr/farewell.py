"""A talk is ended at an hour: both are taken out of their bridge, hear why, and are hung up."""

from collections.abc import Mapping, Sequence

import structlog

from ivr.ami import SILENTLY, AmiError
from ivr.ami.client import AmiClient
from ivr.live import LiveCall
from ivr.policy.reasons import Cutoff, Outcome

log = structlog.get_logger(__name__)


async def say_farewell(ami: AmiClient, live: LiveCall, why: Cutoff | Outcome) -> None:
    """End a talk, telling both why, but for a relay; where that fails, without a word."""
    if live.called_channel is None:
        return
    try:
        await ami.redirect_both(
            live.inmate_channel,
            "inmate-farewell",
            live.called_channel,
            "called-farewell",
            f"ended.{why}",
            other_extension=SILENTLY if live.relay else None,
        )
    except AmiError as error:
        log.warning("a call is ended without farewell", call_id=live.call_id, error=str(error))
        await hang_up(ami, live.called_channel)
        await hang_up(ami, live.inmate_channel)


async def end_ringing(ami: AmiClient, live: LiveCall, channels: Sequence[Mapping[str, str]]) -> None:
    """The called party's leg goes, of these channels; the inmate hears why from the dialogue after it."""
    for each in channels:
        if each.get("AccountCode") == live.call_id and each["Channel"] != live.inmate_channel:
            await hang_up(ami, each["Channel"])


async def hang_up(ami: AmiClient, channel: str | None) -> None:
    """End a channel, if it is still there."""
    if not channel:
        return
    try:
        await ami.hangup(channel)
    except AmiError as error:
        log.info("hang-up not needed or not possible", error=str(error))  # a channel's name tells where
