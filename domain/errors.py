"""What goes wrong, said so that the person can act on it.

Every error names a rule, says what happened in one sentence, and what to do next. The exit
code of the command line follows from the class.
"""


class GovledgerError(Exception):
    """Root of all errors that the ledger raises on purpose.

    Attributes:
        rule: stable identifier of the rule, for scripts and documents.
        message: what happened, one sentence in plain English.
        hint: what the person can do next; empty where there is nothing.
    """

    exit_code = 1
    code = "failed"

    def __init__(self, rule: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.hint = hint


class Failed(GovledgerError):
    """The work could not be done: no ledger there, a read-only disk, a newer format."""


class BadInput(GovledgerError):
    """What was given cannot be read: a date that does not exist, a file with a missing column."""

    exit_code = 2
    code = "usage"


class Refusal(GovledgerError):
    """A rule of the plan refuses the command; nothing was recorded."""

    exit_code = 3
    code = "refused"


class Conflict(Refusal):
    """Somebody else recorded something on the same matter first; nothing was recorded."""


class NotAuthorised(GovledgerError):
    """The person, or the body, may not do this; nothing was recorded."""

    exit_code = 4
    code = "not_authorised"


class IntegrityBroken(GovledgerError):
    """The stored history is not the history that was recorded."""

    exit_code = 5
    code = "integrity"


OBJECTIONS = (Refusal, NotAuthorised, BadInput)
"""What speaks against a decision. The others say only that it could not be judged: a disk that
fails, or a connection that is lost, while it is being read must never count as an objection."""
