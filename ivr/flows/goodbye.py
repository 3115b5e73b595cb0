"""How every session ends in which nothing more is to be done."""

from ivr.call import Call

DIALOGUE_SECONDS = 240


async def say_goodbye(call: Call) -> None:
    """The session is over."""
    await call.say("goodbye")
    await call.finish()
