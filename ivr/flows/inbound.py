"""Somebody calls the number that called parties see."""

from ivr.call import Call


async def inbound(call: Call) -> None:
    """Stations never ring: a notice, then the line is free again."""
    await call.answer()
    await call.say("inbound_notice")
    await call.finish()
