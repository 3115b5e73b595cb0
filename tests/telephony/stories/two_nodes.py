"""Two whole nodes, each with a real Asterisk and controller, on one PostgreSQL and one Redis."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ivr.policy.reasons import Cutoff, Outcome
from tests.database import fresh_database, running_postgresql
from tests.redis_server import running_redis
from tests.telephony.acting import accepts, call_in_progress, is_asked, rings, talk
from tests.telephony.cast import Cast
from tests.telephony.faults import Theatre, break_controller, is_replaced
from tests.telephony.registry import fault
from tests.telephony.scene import Scene

PAID = Cast(prepaid="5.00")
#: What docs/nodes.md has copied from the first node.
KEYS = ("pin_key", "list_key", "recording_key")


@contextmanager
def two_nodes(theatre: Theatre) -> Iterator[tuple[Scene, Scene]]:
    """Somebody who calls from the first node, and somebody else who calls from the second."""
    with ExitStack() as running:
        url = running.enter_context(fresh_database(running.enter_context(running_postgresql())))
        joined = {"redis_url": running.enter_context(running_redis()).url}
        first, second = Theatre(theatre.folder / "main", url), Theatre(theatre.folder / "second", url)
        for each in (first, second):
            (each.folder / "secrets").mkdir(mode=0o700, parents=True)
        [one, _] = running.enter_context(first.scenes_of(PAID, PAID, controller_settings=joined))
        for name in KEYS:
            if (key := first.folder / "secrets" / name).exists():
                shutil.copy(key, second.folder / "secrets")
        [_, two] = running.enter_context(
            second.scenes_of(PAID, PAID, controller_settings={**joined, "node": "second"})
        )
        theatre.scenes = [one, two]
        yield one, two


@fault
def a_command_at_one_node_ends_the_talk_of_another_and_a_restart_does_not(theatre: Theatre) -> None:
    with two_nodes(theatre) as (one, two):
        with two.both() as (inmate, family):
            rings(two, inmate)
            is_asked(family)
            accepts(family)
            pid = break_controller(one, signal.SIGKILL)  # the one that starts sees every open call
            is_replaced(one, pid)
            talk(two, inmate, family)
            assert one.staff("cut", call_in_progress(two), "--reason", "Threats").endswith(": cut off\n")
            for party in (inmate, family):
                party.hears("ended.cut_off")
            for party in (inmate, family):
                party.is_hung_up_on()
        [cdr] = two.calls()
        assert (cdr.reason, cdr.ended_by, cdr.node) == (Outcome.CUT_OFF, "staff", "second")
        assert (cdr.talk_to_at - cdr.cut_at).total_seconds() < 1
        with one.both() as (inmate, family):
            rings(one, inmate)
            is_asked(family)
            accepts(family)
            talk(one, inmate, family)
            two.staff("off", "station", one.role.station, "--let", "now", "--note", "Search")
            for party in (inmate, family):
                party.hears("ended.switched_off")
        [cdr] = one.calls()
        assert (cdr.reason, cdr.cut_off_by, cdr.node) == (Outcome.LIMIT_REACHED, Cutoff.SWITCHED_OFF, "main")
