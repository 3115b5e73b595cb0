"""What passes the door between the facility and the telephone network, and what does not."""

from dialplan.network import Behaviour, NetworkAsterisk
from dialplan.phone import Line, Phone
from ivr.policy.reasons import Outcome
from prompts.listen import tone_share
from tests.telephony.acting import rings, said_to
from tests.telephony.cast import JAIL
from tests.telephony.registry import story
from tests.telephony.scene import INMATE_HERTZ, Scene

EARLY_HERTZ = 1_004.0


@story(prepaid="5.00", behaviour=Behaviour.EARLY_MEDIA)
def nothing_of_the_inmate_passes_before_the_answer(scene: Scene) -> None:
    number = scene.role.number
    network = scene.stage.network
    assert isinstance(network.spec, NetworkAsterisk)
    with scene.inmate() as inmate:
        rings(scene, inmate)
        inmate.speaks(scene.voice(INMATE_HERTZ, 60))
        inmate.presses("123456")
        scene.wait(
            lambda _: network.command(f"database get early {number}"),
            lambda answer: "keys" in answer,
            within=30,
        )
        inmate.hangs_up()

    assert network.command(f"database get early {number}").split("keys")[1].strip() == ""
    files = list(network.spec.evidence_folder.glob(f"early-{number}-received-*.wav"))
    assert len(files) == 1
    assert tone_share(files[0], INMATE_HERTZ) == 0
    assert tone_share(inmate.sound(), EARLY_HERTZ) == 0  # nor does the inmate hear what is not answered
    assert scene.calls()[0].reason == Outcome.CALLER_HUNG_UP


@story()
def a_station_can_not_call_another(scene: Scene) -> None:
    stage, role = scene.stage, scene.role
    called = stage.settings.state_dir.absolute() / "phones" / "other"
    called.mkdir(parents=True)
    line = Line("lobby", stage.keyring.sip("lobby"), stage.settings.sip_port, registers=True)
    with Phone(stage.telephones, called, line) as other, scene.inmate() as inmate:
        inmate.phone.dial("lobby")
        inmate.phone.wait_for("CALL_CLOSED")
        inmate.dials("3")  # whatever is dialled leads to the dialogue
        inmate.begins_to_hear("choose_language")
        inmate.hangs_up()
    assert "CALL_INCOMING" not in [event.type for event in other.events]
    assert said_to(inmate) == [f"welcome facility={JAIL}", "choose_language"]
    assert scene.session().station_id == role.station
