"""A disk on which no room is left: told in one sentence, wherever it shows."""

import errno

_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
_OF_SQLITE = ("database or disk is full", "disk I/O error")  # the second for the files beside its database


def no_room(failure: BaseException | None) -> str | None:
    """The sentence and its cure, if a full disk is behind this failure."""
    seen: set[int] = set()  # an error may be raised from itself
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        text = str(failure)
        if isinstance(failure, OSError) and failure.errno in _ERRNOS:
            return _told(f"{failure.strerror}: {failure.filename}" if failure.filename else text)
        if type(failure).__module__.startswith("pysqlite3") and text in _OF_SQLITE:
            return _told(text)
        failure = failure.__cause__ or failure.__context__
    return None


def _told(why: str) -> str:
    return (
        f"nothing more can be written ({why}): make room on that disk, "
        "or choose a folder on another with IVR_STATE_DIR (for `ivr demo`: TMPDIR)"
    )
