"""The composition root: builds every object of the controller, runs it, and takes it down in order."""

import asyncio
import contextlib
import importlib.metadata
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import structlog
from starlette.routing import Route

from accounts import schema
from accounts.db import Database, DatabaseError, WriterLock
from ivr import control_server, web
from ivr.agi import AgiServer, serve
from ivr.ami.client import AmiClient
from ivr.archive.cipher import RecordingKey
from ivr.calling_back import CallingBack
from ivr.chaining import keep_chains
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.console import Console
from ivr.control import ControlError
from ivr.controls.node import Node
from ivr.enforcing import enforce
from ivr.entitlements import alert_shortfalls
from ivr.facility import lawfulness
from ivr.facility.csv_rows import ImportMistakes
from ivr.facility.file import FacilityFileError, Sources, parse
from ivr.importing import read_asked
from ivr.instance import carrier_names, places_of, switchboard
from ivr.jobs import NAMES, keep_jobs, note_failure, row_of, run_round
from ivr.keyring import Keyring
from ivr.listening import Listening
from ivr.live import LiveCalls
from ivr.loading import load, rehearse
from ivr.neighbours import Neighbours
from ivr.notices import senders as notifying
from ivr.notices.delivery import Delivery
from ivr.notify import Notifier, listening_socket
from ivr.paging import keep_paging
from ivr.paying import Paying
from ivr.processor import setup
from ivr.recordings import Finisher
from ivr.records.alerts import alert_once
from ivr.records.recordings import Places
from ivr.runner import EXPRESSIONS, Runner
from ivr.sharing.in_process import InProcess
from ivr.sharing.in_redis import InRedis
from ivr.sharing.interface import Shared, written
from ivr.sharing.keeping import everybody, keep_sharing, say_changed
from ivr.staff import changes, files
from ivr.staff.authority import attempt
from ivr.staff.desk import StaffError, ToldOnce
from ivr.staff.signing import Signer, find, sign, who_asked
from ivr.switching import Switching
from ivr.watch import Watch
from prompts.own import Voices

log = structlog.get_logger(__name__)

T = TypeVar("T")

VERSION = importlib.metadata.version("ivr")
GRACE_SECONDS = 2.0  # what running dialogues have left at an orderly stop


def new_id() -> str:
    """128 random bits as hexadecimal."""
    return secrets.token_hex(16)


def build_node(
    settings: Settings,
    keyring: Keyring,
    database: Database,
    told: Callable[[str, str], object] = lambda _call_id, _what: None,
) -> Node:
    """What the controls of every call share."""
    for folder in (settings.names, settings.recordings, settings.archive):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    processor = setup.processor(settings, keyring)
    return Node(
        database=database,
        now=utc_now,
        pin_key=keyring.pin_key,
        list_key=keyring.list_key,
        carriers=carrier_names(settings),
        live=LiveCalls(),
        names=settings.names,
        recordings=settings.recordings,
        new_id=new_id,
        version=VERSION,
        name=settings.node,
        paying=Paying(database, processor, utc_now, public_url=settings.public_url) if processor else None,
        sends_sms="sms" in settings.channels,
        told=told,
    )


async def run(settings: Settings) -> None:
    """Serve calls until SIGTERM or SIGINT; raises what keeps the controller from starting."""
    keyring = Keyring(settings.state_dir.absolute() / "secrets")
    schema.require_head(settings.url)
    sending = notifying.senders(settings, keyring)
    stop = _stop_signal()
    with WriterLock.share(settings.url, settings.node), Database.open(settings.url) as database:
        for alert in await database.read(lawfulness.alerts, utc_now()):
            log.warning("a price breaks a rule; no call is charged above its cap", alert=alert)
        await database.transact(alert_shortfalls, utc_now())
        voices = Voices.load(settings.own_prompts)
        for fault in voices.faults:
            await database.transact(alert_once, "own prompts", fault, utc_now())
        board = switchboard(settings, keyring)
        console = Console(board)
        node = build_node(settings, keyring, database, console.tell)
        places, shared = places_of(settings), _shared(settings)
        ami = AmiClient(settings.host, settings.ami_port, "controller", keyring.ami("controller"))
        watch = Watch(node, ami, clock_id=new_id())
        agi = await serve(
            Runner(node, voices),
            host=settings.host,
            port=settings.agi_port,
            sock=listening_socket(),
            token=keyring.agi_token,
            expressions=EXPRESSIONS,
        )
        status = web.Status(database, node.live, lambda: ami.connected)
        notices = [Delivery(database, channel, sender, node.now) for channel, sender in sending.items()]
        async with (
            ami,
            web.listening(status, settings.host, settings.web_port, webhooks(settings, keyring, database)),
            control_server.listening(settings.control_socket, _verbs(node, places, shared)),
        ):
            kept_by = RecordingKey(keyring.recording_key)
            finisher = Finisher(database, places, kept_by, node.settled, node.now)
            notifier = Notifier()
            listening, switching = Listening(board), Switching(board)
            enforced = enforce(node, ami, (listening.keep, switching.end_calls, switching.close_stations))
            kept = [
                keep_chains(database),
                keep_jobs(database, places, utc_now),
                keep_paging(database, utc_now),
                keep_sharing(node, shared),
                *(each.run() for each in notices),
            ]
            kept.append(CallingBack(node, board).run())
            if node.paying is not None:
                kept.append(node.paying.run())
            neighbours = Neighbours(node) if node.own is not None else None
            if neighbours is not None:
                kept.append(neighbours.run())
            work = (watch.run(), watch.beat(), finisher.run(), console.run(), enforced, *kept)
            async with _background(*work, notifier.stay_alive()):
                notifier.ready()
                log.info("ready", agi_port=settings.agi_port, version=VERSION)
                await stop.wait()
                notifier.stopping()
                await _stop(agi, watch, neighbours)


def webhooks(settings: Settings, keyring: Keyring, database: Database) -> list[Route]:
    """The pages that others call from outside, where the settings name who that is."""
    of_whom = (notifying, setup)
    return [page for each in of_whom for page in each.pages(settings, keyring, database, utc_now)]


def _shared(settings: Settings) -> Shared:
    return InRedis(settings.redis_url) if settings.redis_url else InProcess(time.monotonic)


def _verbs(node: Node, places: Places, shared: Shared) -> Mapping[str, control_server.Verb]:
    """What commands may have this process do."""

    async def load_facility(request: Mapping[str, Any]) -> list[str]:
        try:
            sources = _sources(request)
            file = parse(sources, "file")
            if request.get("dry_run"):
                return await node.database.transact(rehearse, file, node.pin_key, node.now())
            note = str(request["note"]) if "note" in request else None
            act, signer = files.loading(file, note), await _signer(node, request)
            work = partial(load, file=file, key=node.pin_key, at=node.now())
            work = partial(files.noted, file=file, note=note, work=work)
            tell = partial(files.loaded, sources.digest)
            changed = await node.database.transact(attempt, act, signer, node.now(), work, tell=tell)
        except (FacilityFileError, StaffError) as mistake:
            raise ControlError(str(mistake)) from None
        await say_changed(node, shared)
        return _allowed(changed)

    async def import_csv(request: Mapping[str, Any]) -> str:
        try:
            wanted, signer = await asyncio.to_thread(read_asked(request).read), await _signer(node, request)
            told = await node.database.transact(
                files.take_rows, wanted, node.pin_key, node.now(), signer=signer
            )
        except ImportMistakes as mistakes:
            raise ControlError(str(mistakes)) from None
        return _allowed(told)

    async def seen(_request: Mapping[str, Any]) -> Mapping[str, object]:
        return {name: written(each) for name, each in (await everybody(node, shared)).items()}

    async def do_job(request: Mapping[str, Any]) -> Mapping[str, object]:
        name = str(request.get("name"))
        if name not in NAMES:
            raise ControlError(f"there is no job {name}")
        try:
            return asdict(await asyncio.to_thread(run_round, node.database, places, name, node.now()))
        except Exception as failure:
            why = f"{type(failure).__name__}: {failure}"
            log.exception("a job failed", job=name)
            await node.database.transact(note_failure, row_of(places, name), why, node.now())
            raise ControlError(why) from None

    staff = {name: _staff_verb(node, shared, name) for name in changes.CHANGES}
    return {"load": load_facility, "import": import_csv, "job": do_job, "seen": seen, **staff}


def _staff_verb(node: Node, shared: Shared, name: str) -> control_server.Verb:
    """A change by staff, asked for over the socket."""

    async def change(request: Mapping[str, Any]) -> object:
        given = {field: value for field, value in request.items() if field not in ("verb", "login", "signed")}
        try:
            asked = changes.read(name, given)
            signer = await _signer(node, request)
            told = _allowed(
                await node.database.transact(
                    changes.attempt,
                    name,
                    asked,
                    node.pin_key,
                    node.now(),
                    list_key=node.list_key,
                    signer=signer,
                )
            )
        except StaffError as mistake:
            raise ControlError(str(mistake)) from None
        await say_changed(node, shared)
        return {"told": str(told), "once": told.once} if isinstance(told, ToldOnce) else told

    return change


async def _signer(node: Node, request: Mapping[str, Any]) -> Signer:
    """In whose name a command over the socket is done; a password is proved beside the calls, not before them."""
    who = who_asked(request)
    found = await node.database.read(find, who)
    return await asyncio.to_thread(sign, found, who, str(request.get("author", who.login)))


def _allowed(done: T | StaffError) -> T:
    if isinstance(done, StaffError):
        raise ControlError(str(done))
    return done


def _sources(request: Mapping[str, Any]) -> Sources:
    beside = request.get("beside")
    named = beside if isinstance(beside, dict) else {}
    return Sources(str(request.get("toml", "")), {str(name): str(text) for name, text in named.items()})


async def _stop(agi: AgiServer, watch: Watch, neighbours: Neighbours | None) -> None:
    await agi.close(GRACE_SECONDS)
    await watch.close()
    if neighbours is not None:
        with contextlib.suppress(DatabaseError):  # the others will see that it is gone
            await neighbours.stop()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.asynccontextmanager
async def _background(*work: Any) -> Any:
    """Run work beside the block; if one of it fails, the block is cancelled and the failure raised."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()
