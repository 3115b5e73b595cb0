"""Every promise of the dialplan, broken once: the proof must notice."""

import re

import pytest

from dialplan.check import CheckError, faults, prove
from dialplan.render import FacilityAsterisk, render
from tests.dialplan.examples import FACILITY, SECURE

E, P, M, L = "extensions.conf", "pjsip.conf", "manager.conf", "logger.conf"

# file, what is replaced (once), by what, and a word of the complaint
MISTAKES: dict[str, tuple[str, str | re.Pattern[str], str, str]] = {
    "no AGIEXITONHANGUP": (E, " same => n,Set(AGIEXITONHANGUP=yes)\n", "", "AGIEXITONHANGUP"),
    "keys that come in no way": (P, "dtmf_mode = auto\n", "", "dtmf_mode"),
    "misspelt script": (E, "/outbound)", "/outbond)", "outbound"),
    "AGI on another machine": (E, "agi://127.0.0.1", "agi://192.0.2.1", "does not belong"),
    "AGI in a hangup handler": (
        E,
        " same => n,Set(TALK_TO=",
        " same => n,AGI(agi://127.0.0.1:4573/inbound)\n same => n,Set(TALK_TO=",
        "hangup handler ended uses AGI",
    ),
    "endless dialogue": (
        E,
        " same => n,Set(TIMEOUT(absolute)=240)\n same => n,Answer",
        " same => n,Answer",
        "time-out",
    ),
    "endless acceptance": (E, " same => n,Set(TIMEOUT(absolute)=120)\n", "", "without a time-out"),
    "verdict not asked": (E, ' same => n,GotoIf($["${VERDICT}" != "DIAL"]?closed,1)\n', "", "VERDICT"),
    "limit not checked": (E, re.compile(r" same => n,GotoIf.*LIMIT_MS}\)} = 0.*\n"), "", "LIMIT_MS"),
    "destination not checked": (
        E,
        re.compile(r" same => n,GotoIf.*DESTINATION}\)} = 0.*\n"),
        "",
        "DESTINATION",
    ),
    "caller ID not checked": (
        E,
        re.compile(r" same => n,GotoIf.*FACILITY_NUMBER}.*\n"),
        "",
        "FACILITY_NUMBER",
    ),
    "ring time not checked": (
        E,
        re.compile(r" same => n,GotoIf.*RING_SECONDS}\)} = 0.*\n"),
        "",
        "RING_SECONDS",
    ),
    "same call twice": (E, re.compile(r" same => n,GotoIf.*LAST_CALL_ID.*\n"), "", "LAST_CALL_ID"),
    "no limit": (E, "rgiI${TIME_LIMIT}U(", "rgiIU(", "Dial is not"),
    "the caller may transfer": (E, "rgiI$", "rgiITI$", "Dial is not"),
    "audio before acceptance": (E, ",rgiI$", ",giI$", "Dial is not"),
    "no acceptance": (E, "U(accept^${CALL_ID})", "", "Dial is not"),
    "keys before acceptance": (E, " same => n,Set(FRAME_DROP(RX)=DTMF_BEGIN,DTMF_END)\n", "", "FRAME_DROP"),
    "the station's own caller ID": (
        E,
        "Set(CALLERID(all)=${PLUS}${FACILITY_NUMBER})",
        "Set(X=1)",
        "CALLERID",
    ),
    "a second Dial": (E, "exten => gone,1,Hangup()", "exten => gone,1,Dial(PJSIP/1@carrier)", "one Dial"),
    "an included context": (E, "[forget]\n", "[forget]\ninclude => inmate\n", "include"),
    "another context": (E, "[forget]\n", "[outside]\nexten => s,1,Hangup()\n[forget]\n", "unknown context"),
    "a shell": (E, "exten => gone,1,Hangup()", "exten => gone,1,System(id)", "System"),
    "a shell by a function": (E, "Set(PHASE=dialogue)", "Set(PHASE=${SHELL(id)})", "forbidden function"),
    "a deleting condition": (E, "Set(ACCEPTED=)", "Set(ACCEPTED=${DB_DELETE(a/b)})", "forbidden function"),
    "acceptance begins open": (E, "Set(GOSUB_RESULT=CONTINUE)", "Set(GOSUB_RESULT=)", "begin closed"),
    "acceptance not asked": (E, ' same => n,GotoIf($["${ACCEPTED}" != "yes"]?no)\n', "", "in this order"),
    "acceptance kept from before": (E, " same => n,Set(ACCEPTED=)\n", "", "in this order"),
    "talk cut by the acceptance guard": (E, " same => n,Set(TIMEOUT(absolute)=0)\n", "", "in this order"),
    "no end of the talk": (
        E,
        " same => n(unheard),Set(CHANNEL(hangup_handler_push)=ended,s,1)\n",
        "",
        "hangup handlers",
    ),
    "announcements not asked for": (
        E,
        re.compile(r" same => n,GotoIf.*OVERLAY_SECONDS}\)} = 0.*\n"),
        "",
        "accept does not have, one after the other",
    ),
    "announcements kept from before": (
        E,
        " same => n,Set(OVERLAY_SECONDS=)\n",
        "",
        "what another was allowed",
    ),
    "keys kept from before": (E, " same => n,Set(KEYS=)\n", "", "what another was allowed"),
    "announcements before acceptance": (
        E,
        " same => n,Set(KEYS=)\n",
        " same => n,Set(KEYS=)\n same => n,Set(X=${PERIODIC_HOOK(overlay,en1,5)})\n",
        "something else into a talk",
    ),
    "keys for everybody": (E, 'GotoIf($["${KEYS}" != "pass"]?mute)', "Set(X=)", "one after the other"),
    "keys let in before acceptance": (
        E,
        " same => n,Set(KEYS=)\n",
        " same => n,Set(KEYS=)\n same => n,Set(MASTER_CHANNEL(FRAME_DROP(RX))=)\n",
        "let into a talk 2 times",
    ),
    "another channel reached": (
        E,
        "exten => gone,1,Hangup()",
        "exten => gone,1,Set(MASTER_CHANNEL(X)=1)",
        "another channel",
    ),
    "a talk listened to": (
        E,
        "exten => gone,1,Hangup()",
        "exten => gone,1,ChanSpy(PJSIP/carrier)",
        "ChanSpy",
    ),
    "an announcement that listens": (
        E,
        "Playback(${EXTEN:0:2}/ivr/overlay)",
        "AGI(x)",
        "announcement in a talk",
    ),
    "an announcement that goes on": (
        E,
        re.compile(r" same => n,GotoIf.*IMPORT.*\n"),
        "",
        "has become privileged",
    ),
    "another talk looked into": (
        E,
        "exten => gone,1,Hangup()",
        'exten => gone,1,GotoIf($["${IMPORT(${HOOK_CHANNEL},OVERLAY)}" = ""]?over)',
        "forbidden function",
    ),
    "an announcement that is dialled": (
        E,
        "exten => gone,1,Hangup()",
        "exten => gone,1,Goto(overlay,en1,1)",
        "announcement of another talk",
    ),
    "verdict remembered": (E, " same => n,Set(LIMIT_MS=)\n", "", "LIMIT_MS is not forgotten"),
    "no T": (E, "exten => T,1,GotoIf", "exten => t,1,GotoIf", "time-out does"),
    "nothing to hear": (E, " same => n,Playback(ivr/closed)\n", "", "closed"),
    "station in another context": (P, "context = inmate", "context = from-carrier", "context"),
    "station without a secret": (P, "auth = demo-a1\n", "", "no secret"),
    "audio around Asterisk": (P, "direct_media = no", "direct_media = yes", "direct_media"),
    "transfer by REFER": (P, "allow_transfer = no", "allow_transfer = yes", "allow_transfer"),
    "another codec": (P, "allow = ulaw,alaw", "allow = ulaw,alaw,opus", "allow"),
    "dead ends kept": (P, "rtp_timeout = 60", "rtp_timeout = 0", "rtp_timeout"),
    "trusted headers": (P, "trust_id_inbound = no", "trust_id_inbound = yes", "trust_id_inbound"),
    "anonymous callers": (P, "[demo-a1](station)", "[anonymous](station)", "anonymous"),
    "stations known by address": (P, "= username,ip", "= ip,username", "order"),
    "an address is a station": (P, "endpoint = carrier", "endpoint = demo-a1", "address alone"),
    "AMI on every address": (M, "bindaddr = 127.0.0.1", "bindaddr = 0.0.0.0", "off loopback"),
    "AMI sees keys": (M, "read = system,call,user,cdr", "read = system,call,user,cdr,dtmf", "dtmf"),
    "AMI starts calls": (M, "write = call,", "write = originate,call,", "originate"),
    "who announces reads": (M, "read =\nwrite = originate", "read = call\nwrite = originate", "originate"),
    "a whisper that listens": (E, "${WHISPER_TO},qWES", "${WHISPER_TO},qwES", "could listen to a talk"),
    "a whisper to anybody": (E, '^PJSIP/[A-Za-z0-9-]+$" ${WHISPER_TO}', '.*" ${X}', "whatever it is told"),
    "a switch that is not asked": (
        E,
        "| ${DB_EXISTS(switch/station/${CHANNEL(endpoint)})}]?closed",
        "]?closed",
        "before Dial there is no GotoIf",
    ),
    "a call-back of nobody": (
        E,
        re.compile(r" same => n,GotoIf.*CALL_BACK.*\n"),
        "",
        "whatever id it is given",
    ),
    "who calls in is put through": (
        E,
        "exten => _+X!,1,Goto(called-in,1)",
        "exten => _+X!,1,Goto(inmate,off-hook,1)",
        "leaves its context",
    ),
    "who is called back dials on": (
        E,
        "/call_back,${CALL_BACK})\n",
        "/call_back,${CALL_BACK})\n same => n,UserEvent(x)\n",
        "could lead whoever calls in elsewhere",
    ),
    "AMI for everyone": (M, "permit = 127.0.0.1/255.255.255.255", "permit = 0.0.0.0/0.0.0.0", "loopback"),
    "AMI on HTTP": (M, "webenabled = no", "webenabled = yes", "HTTP"),
    "modules load themselves": ("modules.conf", "autoload = no", "autoload = yes", "by themselves"),
    "a shell module": ("modules.conf", "require = app_read.so", "require = func_shell.so", "func_shell"),
    "limits need a module": (
        "modules.conf",
        "require = bridge_builtin_interval_features.so",
        "load = bridge_builtin_interval_features.so",
        "without bridge_builtin_interval_features",
    ),
    "keys in the log": (L, "notice,warning,error", "notice,warning,error,dtmf", "keyed digits"),
    "token in the log": (L, "console = error", "console = error,verbose", "token"),
    "keys in CEL": ("cel.conf", "events = BRIDGE_ENTER", "events = ALL", "CEL"),
    "arguments in CEL": ("cel.conf", "enable = yes", "enable = yes\napps = all", "CEL"),
    "seconds in CEL": ("cel.conf", "%H%z", "%H:%M:%S%z", "to the second"),
    "a telephone in CEL": ("cel_custom.conf", "CHANNEL(accountcode)", "CHANNEL(name)", "who called whom"),
    "a number in Asterisk's records": ("cdr_custom.conf", "CDR(billsec)", "CDR(dst)", "who called whom"),
    "seconds in Asterisk's records": ("cdr_custom.conf", "T%H)", "T%T)", "to the second"),
    "silence left out": ("asterisk.conf", "transmit_silence = yes", "transmit_silence = no", "silence"),
    "words through a filter": (
        "modules.conf",
        "require = app_read.so",
        "require = func_speex.so",
        "func_speex",
    ),
    "a listener who speaks": (E, "qbuESg(listenable)", "qbuwESg(listenable)", "could listen"),
    "a listener of any talk": (E, "qbuESg(listenable)", "qbuES", "could listen"),
    "a telephone that joins any talk": (E, "qbuBESg(listenable)", "qbuBES", "could listen"),
    "a telephone that joins unannounced": (
        E,
        " same => n,Playback(ivr/staff_joins)\n same => n,ChanSpy",
        " same => n,ChanSpy",
        "could listen",
    ),
    "a talk heard by default": (E, re.compile(r" same => n,GotoIf.*LISTEN}.*\n"), "", "one after the other"),
    "a talk heard as the last one": (E, " same => n,Set(LISTEN=)\n", "", "Set(LISTEN=)"),
    "every talk let be heard": (E, "Set(PHASE=call)", "Set(SPYGROUP=listenable)", "let be heard"),
    "a secret on the console": (E, "ringing ${NUMBER})", "ringing ${IVR_TOKEN})", "not to be shown"),
    "keys on the console": (E, "ringing ${NUMBER})", "ringing ${AGI_KEYS})", "not to be shown"),
    "the console at another level": (E, "Verbose(2,ivr ${TOLD})", "Verbose(0,ivr ${TOLD})", "another level"),
    "a CDR of every call": (E, " same => n,Set(CDR_PROP(disable)=1)\n", "", "CDR_PROP"),
    "a trace kept from before": (E, " same => n,Set(TRACE=)\n", "", "TRACE is not forgotten"),
}


#: The same of two carriers that are spoken with over TLS.
CARRIERS: dict[str, tuple[str, str | re.Pattern[str], str, str]] = {
    "another carrier after an answer": (E, re.compile(r" same => n,GotoIf.*ANSWERED.*\n"), "", "only after"),
    "another carrier after a busy tone": (E, '!= "CHANUNAVAIL" &', '!= "BUSY" &', "only after"),
    "another carrier after staff ended the call": (
        E,
        re.compile(r" same => n,GotoIf.*HANGUPCAUSE}\)} = 0.*\n"),
        "",
        "only after",
    ),
    "another carrier though switched off": (
        E,
        "CHANNEL(endpoint)})}]?over)",
        "CHANNEL(endpoint)})} & 0]?over)",
        "only after",
    ),
    "carriers in turn for ever": (E, '"${CARRIER}" != "carrier"]', '"${CARRIER}" = "x"]', "only after"),
    "more time to ring": (E, "${RING_SECONDS} - ${EPOCH}", "${RING_SECONDS} + ${EPOCH}", "only after"),
    "an answer forgotten": (E, " same => n,Set(MASTER_CHANNEL(ANSWERED)=yes)\n", "", "rung twice"),
    "an answer remembered": (E, " same => n,Set(ANSWERED=)\n", "", "there is no Set(ANSWERED=)"),
    "the second carrier first": (E, "Set(CARRIER=carrier)", "Set(CARRIER=carrier-2)", "tried first"),
    "a way around the guards": (
        E,
        "exten => gone,1,Hangup()",
        "exten => gone,1,Goto(off-hook,ring)",
        "chooses",
    ),
    "a carrier by its name": (E, "Set(PHASE=call)", "Set(CARRIER=x)", "chooses a carrier"),
    "a carrier that is not there": (P, "[carrier-2](talking)", "[demo-a9](talking)", "the dialplan tries"),
    "a carrier that could be anybody": (P, "verify_server = yes", "verify_server = no", "verify_server"),
    "no authority": (P, re.compile(r"ca_list_file = .*\n"), "", "no ca_list_file"),
    "an old protocol": (P, "method = tlsv1_2", "method = sslv23", "method"),
    "audio in the clear": (P, "media_encryption = sdes\n", "", "media_encryption=sdes"),
    "audio in the clear where it must be": (P, "optimistic = no", "optimistic = yes", "optimistic"),
    "keys in the clear": (P, "transport = transport-tls", "transport = transport", "in the clear"),
    "another way than TLS": (P, "\\;transport=tls", "", "not reached as its transport says"),
    "audio that cannot be encrypted": (
        "modules.conf",
        "require = res_srtp.so",
        "load = res_srtp.so",
        "without res_srtp",
    ),
}


@pytest.mark.parametrize("spec", [FACILITY, SECURE], ids=["one carrier", "two over TLS"])
def test_the_rendered_configuration_keeps_every_promise(spec: FacilityAsterisk) -> None:
    assert faults(render(spec)) == []


@pytest.mark.parametrize("mistake", [*MISTAKES, *CARRIERS])
def test_a_mistake_is_noticed(mistake: str) -> None:
    file, old, new, complaint = (MISTAKES | CARRIERS)[mistake]
    files = render(SECURE if mistake in CARRIERS else FACILITY)
    pattern = old if isinstance(old, re.Pattern) else re.compile(re.escape(old))
    broken, count = pattern.subn(lambda _: new, files[file], count=1)
    assert count == 1, "the mistake could not be made: the template has changed"
    found = faults({**files, file: broken})
    assert found
    assert any(complaint in fault for fault in found), found
    with pytest.raises(CheckError):
        prove({**files, file: broken})
