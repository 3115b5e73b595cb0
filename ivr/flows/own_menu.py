"""An inmate presses star at the number prompt: what they have left, their PIN, name, volume and language."""

from ivr.call import Call, Spoken, speech
from ivr.controls import InmateControls, Left, OwnControls
from ivr.flows.pin_change import change_pin

KEYS = 6


async def own_menu(call: Call, controls: InmateControls, own: OwnControls) -> None:
    """One wish after another, until something else is pressed."""
    for _ in range(KEYS):
        may_record = await own.may_record_name()
        match await call.menu(*offers(controls, may_record=may_record)):
            case "1":
                await call.say_all(*left_told(await own.left()))
            case "2" if controls.may_change_pin:
                await change_pin(call, controls)
            case "3" if may_record:
                await record_name_anew(call, controls)
            case "4":
                await speak_louder(call, controls, own)
            case "8":
                await call.speak("en" if call.language == "es" else "es")
                await controls.language_chosen(call.language, by_key=True)
            case _:
                return


def offers(controls: InmateControls, *, may_record: bool) -> list[Spoken]:
    """What the inmate may do now; the language is offered in the other one."""
    offered = [speech("left_offer")]
    if controls.may_change_pin:
        offered.append(speech("pin_offer"))
    if may_record:
        offered.append(speech("name_offer"))
    return [*offered, speech("volume_offer"), speech("accept_menu_language"), speech("account_back")]


def left_told(left: Left) -> list[Spoken]:
    """The inmate's own money, and what the limits still allow."""
    told = [] if left.balance is None else [speech("balance", balance=left.balance)]
    if left.calls is None:
        told.append(speech("calls_not_limited"))
    else:
        told.append(speech("calls_left_now", calls=left.calls) if left.calls else speech("no_calls_left_now"))
    if left.minutes is not None:
        told.append(speech("minutes_left_now", time=left.minutes))
    return told


async def speak_louder(call: Call, controls: InmateControls, own: OwnControls) -> None:
    """The next volume, which is heard at once and kept; after the loudest the normal one."""
    controls.volume = controls.volume.next
    await call.speak_at(controls.volume)
    await own.keep_volume(controls.volume)
    await call.say(f"volume.{controls.volume}")


async def record_name_anew(call: Call, controls: InmateControls) -> None:
    """Once; the name of before stays where nothing was heard."""
    await call.say("record_name")
    await call.record_name(controls.name_file())
    is_kept = await controls.keep_recorded_name()
    await call.say("name_kept" if is_kept else "name_stays")
