"""Proof that a facility's rendered configuration keeps what the dialplan promises; read at every start."""

import re
from collections.abc import Callable, Iterator, Mapping

from dialplan import modules
from dialplan.check_sip import carrier_faults, sip_faults
from dialplan.configuration import Dialplan, Section, Step, dialplan_of, lines_of, sections_of

Files = Mapping[str, str]
Faults = Iterator[str]

# FastAGI scripts, and the one context that each belongs to.
SCRIPTS = {
    "outbound": "inmate",
    "after_call": "inmate",
    "accept": "accept",
    "inbound": "from-carrier",
    "call_back": "called-back",
}
CONTEXTS = frozenset(
    {
        *("inmate", "forget", "inmate-left", "accept", "ended", "called-farewell", "inmate-farewell"),
        *("announcement", "joining", "whisper", "listen", "cut-in", "staff", "told", "overlay"),
        *("from-carrier", "called-back", "general", "globals"),
    }
)
AGI = re.compile(r"agi://127\.0\.0\.1:\d+/(\w+)(,.*)?")
DIAL = "PJSIP/${PLUS}${DESTINATION}@${CARRIER},${RING_SECONDS},rgiI${TIME_LIMIT}U(accept^${CALL_ID})"
TIME_LIMITS = {"TIME_LIMIT=L(${LIMIT_MS})", "TIME_LIMIT=L(${LIMIT_MS}:60000)"}
APPLICATIONS = frozenset(
    "AGI Answer ChanSpy Dial Gosub Goto GotoIf Hangup Playback Return Set UserEvent Verbose".split()  # noqa: SIM905 — a word list
)
HANDLER_APPLICATIONS = frozenset({"GotoIf", "Return", "Set", "UserEvent"})
# DB_DELETE works even inside a condition that is false; the others reach a shell, files or other machines.
FORBIDDEN_FUNCTIONS = re.compile(r"\$\{(SHELL|CURL|ENV|FILE|STAT|EVAL|DB_DELETE|IMPORT|MASTER_CHANNEL)\(")
GUARDS = (
    'GotoIf($["${VERDICT}" != "DIAL"]?closed,1)',
    'GotoIf($[${REGEX("^[0-9a-f]{32}$" ${CALL_ID})} = 0]?closed,1)',
    'GotoIf($["${CALL_ID}" = "${LAST_CALL_ID}"]?closed,1)',
    'GotoIf($[${REGEX("^[1-9][0-9]{3,7}$" ${LIMIT_MS})} = 0]?closed,1)',
    'GotoIf($[${REGEX("^[1-9][0-9]{6,14}$" ${DESTINATION})} = 0]?closed,1)',
    'GotoIf($[${REGEX("^[1-9][0-9]{6,14}$" ${FACILITY_NUMBER})} = 0]?closed,1)',
    'GotoIf($[${REGEX("^[1-9][0-9]{0,2}$" ${RING_SECONDS})} = 0]?closed,1)',
    'GotoIf($[${REGEX("^warning[.][a-z_]+$" ${WARNING})} = 0]?closed,1)',
    'GotoIf($[${REGEX("^ended[.][a-z_]+$" ${ENDED})} = 0]?closed,1)',
)
SWITCHED_OFF = "$[${DB_EXISTS(switch/all)} | ${DB_EXISTS(switch/station/${CHANNEL(endpoint)})}]"
BEFORE_DIAL = (
    f"GotoIf({SWITCHED_OFF}?closed,1)",
    "Set(LIMIT_PLAYAUDIO_CALLER=yes)",
    'Set(LIMIT_PLAYAUDIO_CALLEE=${IF($["${WARNED}" = "inmate"]?no:yes)})',
    "Set(LIMIT_WARNING_FILE=ivr/${WARNING})",
    "Set(LIMIT_TIMEOUT_FILE=ivr/${ENDED})",
    'GotoIf($["${TRACE}" = "kept"]?kept)',
    "Set(CDR_PROP(disable)=1)",
    "Set(FRAME_DROP(RX)=DTMF_BEGIN,DTMF_END)",
    "Set(ANSWERED=)",
)
#: From the label `ring` to Dial, for each carrier.
RING = (
    "Set(CALLERID(all)=${PLUS}${FACILITY_NUMBER})",
    "UserEvent(Carrier,Call: ${CALL_ID},Carrier: ${CARRIER})",
    f"Dial({DIAL})",
)
#: The only way from one carrier to the next: it took no call, nobody answered, we did not end it, time is left.
NEXT_CARRIER = (
    'GotoIf($["${CARRIER}" != "carrier"]?over)',
    'GotoIf($["${ANSWERED}" != ""]?over)',
    'GotoIf($["${DIALSTATUS}" != "CHANUNAVAIL" & "${DIALSTATUS}" != "CONGESTION"]?over)',
    'GotoIf($[${REGEX("^[1-9][0-9]*$" ${HANGUPCAUSE})} = 0]?over)',
    f"GotoIf({SWITCHED_OFF}?over)",
    "Set(RING_SECONDS=$[${RING_SECONDS} - ${EPOCH} + ${RUNG_FROM}])",
    'GotoIf($[${REGEX("^[1-9][0-9]{0,2}$" ${RING_SECONDS})} = 0]?over)',
    "Set(CARRIER=carrier-2)",
)
PLUSES = {"Set(PLUS=)", "Set(PLUS=+)"}
#: What the inmate's channel knows once somebody has answered, whoever it was.
ANSWERED = "Set(MASTER_CHANNEL(ANSWERED)=yes)"
# It speaks into one leg and can't listen: W is private whisper.
CHANSPY = "ChanSpy(${WHISPER_TO},qWES)"
#: It hears both, says nothing, and finds no channel but one of the group that `accept` puts into a talk by LISTEN.
LISTENING = (
    'GotoIf($[${REGEX("^PJSIP/carrier-(2-)?[0-9a-f]{8}$" ${LISTEN_TO})} = 0]?over)',
    'GotoIf($[${REGEX("^[0-9a-f]{32}$" ${CHANNEL(accountcode)})} = 0]?over)',
    "UserEvent(Listening,Id: ${CHANNEL(accountcode)})",
    "ChanSpy(${LISTEN_TO},qbuESg(listenable))",
)
#: The same for a telephone of staff that is heard by both, who have been told so.
CUTTING_IN = (*LISTENING[:-1], "Playback(ivr/staff_joins)", "ChanSpy(${LISTEN_TO},qbuBESg(listenable))")
MAY_BE_HEARD = ('GotoIf($["${LISTEN}" != "allowed"]?unheard)', "Set(SPYGROUP=listenable)")
#: The only announcements in a talk: where the controller asked for them on acceptance, in values of plain form.
OVERLAY = (
    'GotoIf($[${REGEX("^[a-z][a-z]([a-z][a-z])?$" ${OVERLAY})} = 0]?quiet)',
    'GotoIf($[${REGEX("^[1-9][0-9]{0,3}$" ${OVERLAY_SECONDS})} = 0]?quiet)',
    "Set(OVERLAY_ID=${PERIODIC_HOOK(overlay,${OVERLAY}${EPOCH},${OVERLAY_SECONDS})})",
)
#: The only way for the inmate's keys into a talk.
KEYS = ('GotoIf($["${KEYS}" != "pass"]?mute)', "Set(MASTER_CHANNEL(FRAME_DROP(RX))=)")
#: What an announcement asks its talk before it speaks: the only step that looks into another channel.
STILL_SAID = 'GotoIf($["${IMPORT(${HOOK_CHANNEL},OVERLAY)}" = ""]?over)'
OVERLAY_APPLICATIONS = frozenset({"GotoIf", "Playback", "Hangup"})
FORGOTTEN = (
    "VERDICT",
    "DESTINATION",
    "LIMIT_MS",
    "FACILITY_NUMBER",
    "RING_SECONDS",
    "WARNING",
    "ENDED",
    "WARNED",
    "TRACE",
    "INMATE",
    "STATION",
    "NUMBER",
)
#: What a line on the console may hold: nobody's keys, and no secret.
SHOWN = frozenset(
    {
        *("CALL_ID", "FACILITY", "STATION", "INMATE", "NUMBER", "PAYER", "LIMIT_MS", "RULE"),
        *("ACCEPTED_BY", "RECORDING", "TOLD"),
    }
)
#: Who calls in or is called back hears a dialogue and nothing else.
SERVED = frozenset({"AGI", "Answer", "Goto", "GotoIf", "Hangup", "Playback", "Set"})
#: A call-back that the controller has not written down is none.
CALL_BACK = 'GotoIf($[${REGEX("^[0-9a-f]{32}$" ${CALL_BACK})} = 0]?closed,1)'
# AMI classes that reach a shell, start calls, show keys, or change the configuration.
CEL_OPTIONS = {"enable", "events", "dateformat"}
#: What Asterisk's own records of calls may hold: no number, no telephone, and only the hour, which stands in a file.
ASTERISK_RECORDS = {
    "cdr_custom.conf": (
        {"CDR(accountcode", "CDR(disposition", "CDR(billsec", "CDR(start", "STRFTIME(${CDR(start"},
        "UTC,%Y-%m-%dT%H)}\n",
        "cdr_custom.conf",
    ),
    "cel_custom.conf": ({"CHANNEL(accountcode", "eventtime"}, "dateformat = %Y-%m-%dT%H%z\n", "cel.conf"),
}
FORBIDDEN_CLASSES = frozenset(
    {"all", "command", "originate", "config", "dtmf", "agi", "dialplan", "verbose", "log"}
)


class CheckError(Exception):
    """The configuration breaks a promise; the message names each one."""


def prove(files: Files) -> None:
    """Raise CheckError unless the files of a facility's Asterisk keep every promise."""
    if found := faults(files):
        raise CheckError("The dialplan is not safe: " + "; ".join(found))


def faults(files: Files) -> list[str]:
    """Each promise that is broken, in a few words; empty when all are kept."""
    plan, unread = dialplan_of(files["extensions.conf"])
    found = [f"a line that is no step: {line}" for line in unread]  # include and switch are such lines
    for rule in DIALPLAN_RULES:
        found += rule(plan)
    found += sip_faults(sections_of(files["pjsip.conf"]), plan)
    found += carrier_faults(files, plan)
    found += _manager_faults(sections_of(files["manager.conf"]))
    found += _module_faults(sections_of(files["modules.conf"]))
    found += _log_faults(files)
    return found


def _context_faults(plan: Dialplan) -> Faults:
    for context in sorted(CONTEXTS - set(plan) - {"general", "globals"}):
        yield f"the context {context} is missing"
    for context in sorted(set(plan) - CONTEXTS):
        yield f"an unknown context: {context}"


def _application_faults(plan: Dialplan) -> Faults:
    for where, _, step in _steps(plan):
        if step.application not in APPLICATIONS:
            yield f"{where} uses {step.application}"
        asks_its_talk = where.startswith("overlay/") and str(step) == STILL_SAID
        if FORBIDDEN_FUNCTIONS.search(step.arguments) and not asks_its_talk:
            yield f"{where} uses a forbidden function: {step}"


def _agi_faults(plan: Dialplan) -> Faults:
    seen = []
    for where, before, step in _steps(plan):
        if step.application != "AGI":
            continue
        target = AGI.fullmatch(step.arguments)
        script = target[1] if target else ""
        if SCRIPTS.get(script) != where.split("/")[0]:
            yield f"{where} has an AGI that does not belong there: {step}"
        seen.append(script)
        if not before or str(before[-1]) != "Set(AGIEXITONHANGUP=yes)":
            yield f"{where} runs {script} without AGIEXITONHANGUP: a frozen controller would hold the channel"
        if not any(str(earlier).startswith("Set(TIMEOUT(absolute)=") for earlier in before):
            yield f"{where} runs {script} without a time-out"
    for script in sorted(set(SCRIPTS) - set(seen)):
        yield f"nothing runs the script {script}"
    for script in sorted({script for script in seen if seen.count(script) > 1}):
        yield f"the script {script} is run in two places"


def _handler_faults(plan: Dialplan) -> Faults:
    pushed = re.compile(r"CHANNEL\(hangup_handler_push\)=([\w-]+),s,1")
    handlers = {found[1] for _, _, step in _steps(plan) if (found := pushed.match(step.arguments))}
    if handlers != {"inmate-left", "ended"}:
        yield f"the hangup handlers are {sorted(handlers)}"
    for context in sorted(handlers):
        steps = plan.get(context, {}).get("s", [])
        for step in steps:
            if step.application not in HANDLER_APPLICATIONS:
                yield f"the hangup handler {context} uses {step.application}"
        if not steps or steps[-1].application != "Return":
            yield f"the hangup handler {context} does not end in Return"


def _dial_faults(plan: Dialplan) -> Faults:
    dials = [(where, before, step) for where, before, step in _steps(plan) if step.application == "Dial"]
    if [where for where, _, _ in dials] != ["inmate/off-hook"]:
        yield f"there must be one Dial, in inmate/off-hook, not in {[where for where, _, _ in dials]}"
    for _, before, step in dials:
        if step.arguments != DIAL:
            yield f"Dial is not {DIAL}: {step.arguments}"
        said = [str(earlier) for earlier in before]
        verdict = next((n for n, earlier in enumerate(before) if earlier.label == "verdict"), len(before))
        for guard in (*GUARDS, *BEFORE_DIAL):
            if guard not in said[verdict:]:
                yield f"before Dial there is no {guard}"
        limits = {e.arguments for e in before if e.arguments.startswith("TIME_LIMIT=")}
        if limits != TIME_LIMITS:
            yield f"the limits of Dial are {sorted(limits)}"
        if not any(line.startswith("Set(TIMEOUT(absolute)=$[${LIMIT_MS}") for line in said[verdict:]):
            yield "before Dial the time-out is not set anew"


def _carrier_way_faults(plan: Dialplan) -> Faults:
    steps = plan.get("inmate", {}).get("off-hook", [])
    said = [str(step) for step in steps]
    labels = {step.label: number for number, step in enumerate(steps) if step.label}
    ring, over = labels.get("ring", 0), labels.get("over", 0)
    if tuple(said[ring : ring + len(RING)]) != RING or PLUSES.isdisjoint(said[ring - 1 : ring]):
        yield f"Dial does not have right before it, from the label ring on: {', '.join(RING[:-1])}"
    if said[ring - 2 : ring - 1] != ["Set(CARRIER=carrier)"]:
        yield "the first carrier is not tried first"
    after = tuple(said[ring + len(RING) : over])
    if after and (after[:-2] != NEXT_CARRIER or after[-2] not in PLUSES or after[-1] != "Goto(ring)"):
        yield f"another carrier is not tried only after: {', '.join(NEXT_CARRIER)}"
    for where, _, step in _steps(plan):
        text = str(step)
        is_in_place = where == "inmate/off-hook" and (text == "Set(CARRIER=carrier)" or text in after)
        if re.search(r"Set\((CARRIER|PLUS)=|\bring\b", text) and not (is_in_place or text in PLUSES):
            yield f"{where} chooses a carrier: {step}"
    if ANSWERED not in [str(step) for step in plan.get("accept", {}).get("s", [])][:2]:
        yield f"accept does not begin with {ANSWERED}: a called party could be rung twice"


def _whisper_faults(plan: Dialplan) -> Faults:
    for where, before, step in _steps(plan):
        if step.application != "ChanSpy":
            continue
        if expected := {"listen/s": LISTENING, "cut-in/s": CUTTING_IN}.get(where):
            if (*map(str, before[1 - len(expected) :]), str(step)) != expected:
                yield f"{where} could listen to a talk that may not be heard: {step}"
            continue
        if (where, str(step)) != ("whisper/s", CHANSPY):
            yield f"{where} could listen to a talk: {step}"
        if not any("WHISPER_TO" in earlier.arguments for earlier in before):
            yield f"{where} whispers to whatever it is told"


def _heard_faults(plan: Dialplan) -> Faults:
    said = [str(step) for step in plan.get("accept", {}).get("s", [])]
    first = said.index(MAY_BE_HEARD[0]) if MAY_BE_HEARD[0] in said else 0
    asked = 'GotoIf($["${ACCEPTED}" != "yes"]?no)'
    if tuple(said[first : first + 2]) != MAY_BE_HEARD or asked not in said[:first]:
        yield f"accept does not have, one after the other: {', '.join(MAY_BE_HEARD)}"
    agi = next((n for n, line in enumerate(said) if line.startswith("AGI(")), 0)
    if "Set(LISTEN=)" not in said[:agi]:
        yield "a talk could be heard by what another was allowed: there is no Set(LISTEN=)"
    groups = [where for where, _, step in _steps(plan) if "SPYGROUP" in step.arguments]
    if groups != ["accept/s"]:
        yield f"a talk is let be heard in {groups}"


def _accept_faults(plan: Dialplan) -> Faults:
    steps = plan.get("accept", {}).get("s", [])
    said = [str(step) for step in steps]
    if said[:1] != ["Set(GOSUB_RESULT=CONTINUE)"]:
        yield "accept does not begin closed: a called party could be connected without its acceptance"
    results = [line for line in said if line.startswith("Set(GOSUB_RESULT=")]
    if results != ["Set(GOSUB_RESULT=CONTINUE)", "Set(GOSUB_RESULT=)"]:
        yield f"accept sets its result as {results}"
    order = [
        "Set(ACCEPTED=)",
        'GotoIf($["${ACCEPTED}" != "yes"]?no)',
        "Set(TIMEOUT(absolute)=0)",
        "Set(CHANNEL(hangup_handler_push)=ended,s,1)",
        "Set(GOSUB_RESULT=)",
        "Return()",
    ]
    places = [said.index(line) if line in said else -1 for line in order]
    if places != sorted(places) or -1 in places:
        yield f"accept does not have, in this order: {', '.join(order)}"
    labels = [n for n, step in enumerate(steps) if step.label == "no"]
    if labels != [len(steps) - 1]:
        yield "what is not accepted does not go straight to the end of accept"


def _talk_faults(plan: Dialplan) -> Faults:
    said = [str(step) for step in plan.get("accept", {}).get("s", [])]
    closed = ["Set(OVERLAY=)", "Set(OVERLAY_SECONDS=)", "Set(KEYS=)"]
    asked = 'GotoIf($["${ACCEPTED}" != "yes"]?no)'
    for name, lines in (("announcements", OVERLAY), ("keys", KEYS)):
        first = said.index(lines[0]) if lines[0] in said else 0
        if tuple(said[first : first + len(lines)]) != lines or asked not in said[:first]:
            yield f"accept does not have, one after the other: {', '.join(lines)}"
        if said.count(lines[-1]) != 1:
            yield f"{name} are let into a talk {said.count(lines[-1])} times"
    agi = next((n for n, line in enumerate(said) if line.startswith("AGI(")), 0)
    if missing := [line for line in closed if line not in said[:agi]]:
        yield f"a talk could have what another was allowed: there is no {', '.join(missing)}"
    for where, _, step in _steps(plan):
        text = str(step)
        if "PERIODIC_HOOK" in text and text != OVERLAY[-1]:
            yield f"{where} puts something else into a talk: {step}"
        if ("MASTER_CHANNEL" in text and text not in {KEYS[-1], ANSWERED}) or (
            "FRAME_DROP" in text and where.split("/")[0] not in {"inmate", "accept"}
        ):
            yield f"{where} reaches another channel: {step}"
        if re.match(r"Go(to|sub)(If)?\(.*\boverlay\b", text):
            yield f"{where} goes to the announcement of another talk: {step}"


def _verbose_faults(plan: Dialplan) -> Faults:
    for where, _, step in _steps(plan):
        if step.application != "Verbose":
            continue
        if not step.arguments.startswith("2,ivr "):
            yield f"{where} tells the console at another level: {step}"
        if set(re.findall(r"\$\{([^}]*)\}", step.arguments)) - SHOWN:
            yield f"{where} shows the console what is not to be shown: {step}"


def _overlay_faults(plan: Dialplan) -> Faults:
    for where, before, step in _steps({"overlay": plan.get("overlay", {})}):
        if step.application not in OVERLAY_APPLICATIONS:
            yield f"the announcement in a talk uses {step.application}"
        if step.application == "Playback" and STILL_SAID not in map(str, before):
            yield f"{where} speaks into a talk that has become privileged: {step}"


def _attempt_faults(plan: Dialplan) -> Faults:
    steps = plan.get("inmate", {}).get("off-hook", [])
    said = [str(step) for step in steps]
    for number, step in enumerate(steps):
        if step.application == "AGI" and "Gosub(forget,s,1)" not in said[:number]:
            yield f"{step} begins with what an earlier attempt was allowed"
    agis = [number for number, step in enumerate(steps) if step.application == "AGI"]
    if len(agis) == 2 and "Gosub(forget,s,1)" not in said[agis[0] : agis[1]]:
        yield "after a call the next attempt begins with what the last was allowed"
    forgotten = [str(step) for step in plan.get("forget", {}).get("s", [])]
    for variable in FORGOTTEN:
        if f"Set({variable}=)" not in forgotten:
            yield f"{variable} is not forgotten between attempts"
    for context in ("inmate", "from-carrier", "called-back"):
        if "T" not in plan.get(context, {}):
            yield f"{context} does not say what its time-out does"
        if "Playback(ivr/closed)" not in map(str, plan.get(context, {}).get("closed", [])):
            yield f"{context} cannot tell that the service is closed"


def _service_faults(plan: Dialplan) -> Faults:
    served = {context: plan.get(context, {}) for context in ("from-carrier", "called-back")}
    for where, before, step in _steps(served):
        if step.application not in SERVED:
            yield f"{where} could lead whoever calls in elsewhere: {step}"
        if step.arguments.endswith("/call_back,${CALL_BACK}") and CALL_BACK not in map(str, before):
            yield f"{where} takes whatever id it is given: {step}"
        target = re.fullmatch(r"Goto(?:If)?\((?:.*\?)?([\w-]+),1\)", str(step))
        if step.application.startswith("Goto") and (
            target is None or target[1] not in {"called-in", "closed"}
        ):
            yield f"{where} leaves its context: {step}"


DIALPLAN_RULES: tuple[Callable[[Dialplan], Faults], ...] = (
    _context_faults,
    _application_faults,
    _agi_faults,
    _handler_faults,
    _dial_faults,
    _carrier_way_faults,
    _whisper_faults,
    _heard_faults,
    _accept_faults,
    _talk_faults,
    _overlay_faults,
    _verbose_faults,
    _attempt_faults,
    _service_faults,
)


def _manager_faults(sections: list[Section]) -> Faults:
    general = [section for section in sections if section.name == "general"]
    if [section.value("bindaddr") for section in general] != ["127.0.0.1"]:
        yield "AMI listens off loopback"
    if any(section.value("webenabled", "no") != "no" for section in general):
        yield "AMI is on HTTP"
    for user in sections:
        if user.name == "general":
            continue
        classes = {c.strip() for c in f"{user.value('read')},{user.value('write')}".split(",")}
        alone = user.name == "announcer" and not user.value("read") and user.value("write") == "originate"
        for forbidden in sorted(classes & FORBIDDEN_CLASSES - ({"originate"} if alone else set())):
            yield f"AMI user {user.name} has the class {forbidden}"
        if user.values("deny") != ["0.0.0.0/0.0.0.0"] or user.values("permit") != [
            "127.0.0.1/255.255.255.255"
        ]:
            yield f"AMI user {user.name} is not held to loopback"
        if len(user.value("secret")) < 16:
            yield f"AMI user {user.name} has a short secret"


def _module_faults(sections: list[Section]) -> Faults:
    if [section.value("autoload") for section in sections] != ["no"]:
        yield "modules are loaded by themselves"
    options = [option for section in sections for option in section.options]
    named = {value.removesuffix(".so") for option, value in options if option != "autoload"}
    for module in sorted(named & modules.FORBIDDEN):
        yield f"the module {module} is loaded"
    required = {value.removesuffix(".so") for option, value in options if option == "require"}
    for module in sorted(set(modules.FACILITY) - required):
        yield f"Asterisk would start without {module}"


def _log_faults(files: Files) -> Faults:
    for section in sections_of(files["logger.conf"]):
        for name, levels in section.options:
            if section.name == "logfiles" and re.search(r"verbose|debug|dtmf|\*", levels):
                yield f"the log {name} could hold keyed digits or the token"
    general = {name: value for each in sections_of(files["cel.conf"]) for name, value in each.options}
    if set(general) != CEL_OPTIONS or general["events"] != "BRIDGE_ENTER":
        yield "CEL could hold keyed digits"
    for name, (fields, hour, where) in ASTERISK_RECORDS.items():
        if (
            set(re.findall(r"\$\{([^,})]+)", "\n".join(lines_of(files[name])))) - fields
            or hour not in files[where]
        ):
            yield f"{name} could hold who called whom, or when to the second"
    if not re.search(r"^transmit_silence = yes$", files["asterisk.conf"], re.MULTILINE):
        yield "silence could be left out: a text telephone's tones need every packet of G.711"


def _steps(plan: Dialplan) -> Iterator[tuple[str, list[Step], Step]]:
    """Every step with its place and the steps before it in its extension."""
    for context, extensions in plan.items():
        for extension, steps in extensions.items():
            for number, step in enumerate(steps):
                yield f"{context}/{extension}", steps[:number], step
