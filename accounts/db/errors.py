"""What can go wrong with a database as a whole; errors of single statements stay SQLAlchemy's own."""

# ruff: noqa: N818 - the names say what happened; "Error" would say nothing more


class DatabaseError(Exception):
    """The database could not do the work."""


class DatabaseBusy(DatabaseError):
    """Somebody else kept the database locked for longer than we wait; nothing was kept."""


class DatabaseClosed(DatabaseError):
    """The work came after `Database.close`; it was not begun."""


class DatabaseUnsuitable(DatabaseError):
    """This database, or the way it is set up, would not keep what it is given; it is not used at all."""


class OutcomeUnknown(DatabaseError):
    """The connection broke during COMMIT: the work may or may not have been kept.

    Doing it again is right where each effect has an id that makes a repetition harmless.
    """


class LostRace(Exception):
    """Another transaction did the same thing at the same moment; work raises it to be run again."""
