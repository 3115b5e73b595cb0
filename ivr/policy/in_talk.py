"""What Asterisk does by itself in a talk: announcements to both, and the inmate's keys."""

from collections.abc import Iterator

from ivr.policy.request import CallRequest, InTalk

#: The announcement, in two languages where the two differ, is over within this.
ANNOUNCEMENT_MS = 7_000
#: A warning comes so long before the limit.
WARNING_MS = 60_000


def in_talk(ask: CallRequest, limit_ms: int) -> InTalk:
    """What the facility and the number want; nothing is ever put into a privileged talk, or where nobody was told."""
    return InTalk(_overlay_seconds(ask, limit_ms), keys_pass=ask.privileged or ask.office or ask.relay)


def _overlay_seconds(ask: CallRequest, limit_ms: int) -> int | None:
    """The facility's interval, or one a little shorter that keeps clear of the warning and of the end."""
    wanted = ask.overlay_seconds
    if wanted is None or not ask.number_overlay:
        return None
    if ask.privileged or ask.list_in_doubt or ask.relay or ask.passive:
        return None
    return next((seconds for seconds in _at_most(wanted) if not _disturbs(seconds, limit_ms)), wanted)


def _at_most(seconds: int) -> Iterator[int]:
    return iter(range(seconds, seconds * 3 // 4, -1))


def _disturbs(seconds: int, limit_ms: int) -> bool:
    """Whether an announcement would be heard together with what is said of the limit."""
    for moment_ms in (limit_ms - WARNING_MS, limit_ms):
        before_ms = moment_ms % (seconds * 1000)  # the last announcement began so long before
        if before_ms < ANNOUNCEMENT_MS or seconds * 1000 - before_ms < ANNOUNCEMENT_MS:
            return True
    return False
