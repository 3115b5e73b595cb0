"""The calls of a number, told to whoever has its telephone: those that were talked, and those that never reached it."""

from ivr.call import Call, Spoken, speech
from ivr.controls import CalledBackControls, PastTalk, Payer


async def tell_last_calls(call: Call, controls: CalledBackControls) -> None:
    """One after another, the newest first; each can be disputed."""
    for talk in await controls.last_talks():
        match await call.menu(*talk_told(talk), speech("talk_menu")):
            case "1":
                continue
            case "3":
                await call.say("dispute_taken" if await controls.dispute(talk.call_id) else "dispute_decided")
            case _:
                return
    await call.say("no_more_calls")


def talk_told(talk: PastTalk) -> list[Spoken]:
    """When it was, how long, and what it cost whom."""
    when = speech("talk_was", on=talk.on, time=talk.minutes)
    if talk.is_theirs:
        return [when, speech("talk_cost", charge=talk.charge)]
    match talk.payer:
        case Payer.SUBSCRIPTION:
            return [when, speech("talk_covered")]
        case _:
            return [when, speech("talk_free")]


async def tell_missed_calls(call: Call, controls: CalledBackControls) -> None:
    """When somebody tried to call, and why the call did not reach this telephone."""
    missed = await controls.missed_calls()
    if not missed:
        await call.say("none_missed")
    for each in missed:
        await call.say_all(speech("missed_on", on=each.on), speech(f"missed.{each.why}"))
