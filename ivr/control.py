"""A command for the running controller, over its own socket; it is the one process that writes.

One JSON object a line each way, on a Unix socket that only its owner may open (`ivr/control_server.py` answers).
"""

import json
import socket
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 60


class ControlError(Exception):
    """The controller refused; the message is for the person who asked."""


class ControllerFailed(ControlError):  # noqa: N818
    """The controller runs, and has not done it: it is frozen, or failed."""


class NoController(Exception):  # noqa: N818 - a state that a command meets, not a fault
    """No controller is running here."""


def ask(path: Path, verb: str, answer_seconds: float = ANSWER_SECONDS, /, **arguments: object) -> Any:
    """Have the running controller do something; raises NoController or ControlError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(answer_seconds)
        try:
            sock.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            raise NoController from None
        except OSError as error:
            raise ControlError(f"cannot reach {path}: {error.strerror or error}") from None
        try:
            sock.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
            with sock.makefile("rb") as answers:
                answer = json.loads(answers.readline() or b"{}")
        except TimeoutError:
            raise ControllerFailed(f"the controller did not answer within {answer_seconds} s") from None
        except (OSError, ValueError):
            raise ControllerFailed("the controller ended before it answered") from None
    if "failed" in answer:
        raise ControllerFailed(answer["failed"])
    if "done" not in answer:
        raise ControlError(answer.get("refused", "the controller closed the connection"))
    return answer["done"]
