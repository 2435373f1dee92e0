"""Every error that the platform raises on purpose, one small tree under ``PlatformError``."""


class PlatformError(Exception):
    """Root of the tree: catch this to catch what the platform itself reports."""


class ConfigurationError(PlatformError):
    """Raised when a setting, a mapping or a command-line value cannot be used."""


class PrerequisiteError(PlatformError):
    """Raised when the machine lacks something: Java, a free port, disk space, a download."""


class PartUnavailableError(PlatformError):
    """Raised when a part of the platform does not answer or does not become healthy in time.

    Attributes:
        part: Name of the part, as ``./run.sh status`` prints it.
        reason: What was tried and what came back.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part} is not available: {reason}")
        self.part = part
        self.reason = reason


class ContractViolationError(PlatformError):
    """Raised when an event breaks its contract before it is sent.

    Attributes:
        reason: Machine-readable code, for example ``missing_field``.
        field: Path of the field, for example ``items[0].quantity``.
        expected: What the contract asks for.
        found: What was there, shortened; masked where the contract marks the field as personal.
    """

    def __init__(self, reason: str, field: str, expected: str, found: str) -> None:
        super().__init__(f"{reason} at {field or 'the event'}: expected {expected}, found {found}")
        self.reason = reason
        self.field = field
        self.expected = expected
        self.found = found


class ValidationFailedError(PlatformError):
    """Raised when a table breaks its expectations.

    Attributes:
        table: Name of the table.
        failed: The failed expectations, each as one line with its observed value.
        report: Where the full result is.
    """

    def __init__(self, table: str, failed: list[str], report: str) -> None:
        super().__init__(f"{table}: {len(failed)} expectation(s) failed: {'; '.join(failed)}; report: {report}")
        self.table = table
        self.failed = failed
        self.report = report


class DeliveryError(PlatformError):
    """Raised when Slack or a mail server did not take a message.

    Attributes:
        retry_after: Seconds that the server asked to wait; None where it did not say.
        permanent: Whether this message would be refused again, however often it is sent.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, permanent: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.permanent = permanent


class HandoverRefusedError(PlatformError):
    """Raised when the layers differ without a reason; readers keep the old view.

    Attributes:
        run_id: The run that found it.
        unexplained: How many cells differ.
        report: Where the comparison is.
    """

    def __init__(self, run_id: str, unexplained: int, report: str) -> None:
        super().__init__(
            f"handover {run_id} refused: {unexplained} cell(s) differ between speed and batch layer without a reason; "
            f"readers keep the old view. See {report}; when the batch layer is right: "
            'python main.py handover --accept "<reason>"'
        )
        self.run_id = run_id
        self.unexplained = unexplained
        self.report = report
