"""What can go wrong with an AMI action; messages hold no header's value."""


class AmiError(Exception):
    """Asterisk refused the action, or answered with something that is no answer to it."""


class AmiTimeout(AmiError):  # noqa: N818
    """No answer within the deadline: whether Asterisk has done it is unknown."""


class AmiDown(AmiError):  # noqa: N818
    """There is no connection, or it was lost before the answer: whether Asterisk has done it is unknown."""
