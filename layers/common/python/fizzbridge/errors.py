"""Every error of the product, in one tree.

::

    FizzbridgeError
    ├── VerificationError          bad, missing or stale signature            -> 401, counted
    ├── MalformedDeliveryError     unreadable after a good signature          -> quarantined, 2xx
    ├── RetryableError             may pass by itself
    │   ├── RateLimitedError       the vendor's or our own limit              -> wait retry_after
    │   ├── TargetUnavailableError 408, 425, 5xx, network on a safe call
    │   ├── ConflictError          lease held, version clash                  -> hint dropped
    │   ├── UnreadableAnswerError  a success, not of the documented shape
    │   ├── DependencyNotReadyError a required entity is not there yet        -> hint dropped
    │   └── OutcomeUnknownError    sent, no answer: find before anything else
    ├── PermanentError             will not pass by itself
    │   ├── HoldError              waits for something to be put right        -> held with its cause
    │   │   ├── MappingError       no such product, tax, account
    │   │   └── TotalMismatchError the target would come to another total
    │   ├── TargetRejectedError    the vendor's business says no              -> parked
    │   │   └── NotThereError      404: no such thing, or none any more
    │   ├── AmbiguousMatchError    several objects match our reference        -> parked
    │   └── DeletedAtTargetError   what we linked is gone                     -> parked
    └── ConfigurationError         401/403 after a refresh, wrong scope       -> unhealthy
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

Blame = Literal["customer_config", "vendor", "ours"]


class FizzbridgeError(Exception):
    """Base of all.

    Attributes:
        message: safe for people and logs: no secrets, no personal data, no bodies.
        code: the vendor's or our own short code.
        platform: slug, where one is concerned.
        blame: whose fault it is.
        request_id: the vendor's, to quote to their support.
        retry_after: how long the vendor or the rule asks to wait.
    """

    blame: Blame = "ours"
    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        platform: str = "",
        request_id: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.platform = platform
        self.request_id = request_id
        self.retry_after = retry_after


class VerificationError(FizzbridgeError):
    """A delivery that does not prove who sent it."""

    blame: Blame = "vendor"
    code = "verification"


class MalformedDeliveryError(FizzbridgeError):
    """A delivery that is genuine and cannot be read; a retry of the vendor cannot help."""

    blame: Blame = "vendor"
    code = "malformed"


class RetryableError(FizzbridgeError):
    """May pass by itself."""

    blame: Blame = "vendor"
    code = "retryable"


class RateLimitedError(RetryableError):
    """The vendor's limit, or our own that keeps below it."""

    code = "rate_limited"


class TargetUnavailableError(RetryableError):
    """The vendor is down, slow or unreachable, and nothing was changed there."""

    code = "unavailable"


class UnreadableAnswerError(RetryableError):
    """The vendor answered a read with what is not of the shape its documentation promises."""

    code = "unreadable"


class ConflictError(RetryableError):
    """Somebody else is at it, or the vendor's object moved under us."""

    code = "conflict"


class DependencyNotReadyError(RetryableError):
    """What this entity refers to is not at the target yet."""

    code = "dependency"


class OutcomeUnknownError(RetryableError):
    """A write was sent and no clear answer came: it may have happened. Find before writing."""

    code = "unknown_outcome"


class PermanentError(FizzbridgeError):
    """Will not pass by itself; somebody must change something."""

    blame: Blame = "customer_config"
    code = "permanent"


class HoldError(PermanentError):
    """The export waits until something is put right; nothing is tried meanwhile.

    Attributes:
        reason: why, as an order's hold names it: ``MAPPING``.
        cause: the row or object whose appearance clears it, e.g. ``MAP#erp#sku/COLA330``.
    """

    reason = ""

    def __init__(self, message: str, *, cause: str, platform: str = "") -> None:
        super().__init__(message, platform=platform)
        self.cause = cause


class MappingError(HoldError):
    """Something of ours has no counterpart at the target."""

    code = "mapping"
    reason = "MAPPING"


class TotalMismatchError(HoldError):
    """The document would not come to the total it must have; both are named, and the difference."""

    code = "total_mismatch"
    reason = "TOTAL_MISMATCH"

    def __init__(
        self, name: str, *, expected: Decimal, found: Decimal, currency: str, platform: str = ""
    ) -> None:
        message = (
            f"{name} would be {found} {currency} there and is {expected} {currency} with us, "
            f"difference {expected - found}"
        )
        super().__init__(message, cause="total", platform=platform)


class TargetRejectedError(PermanentError):
    """The vendor understood and refused."""

    code = "rejected"


class NotThereError(TargetRejectedError):
    """The vendor has no such thing, any more or yet."""


class AmbiguousMatchError(PermanentError):
    """Several objects carry our reference; choosing one would be guessing."""

    code = "ambiguous"


class DeletedAtTargetError(PermanentError):
    """The object we linked was deleted or voided there; only a person has it made again."""

    code = "deleted_at_target"


class ConfigurationError(FizzbridgeError):
    """The connection itself does not work: credentials, scopes, consent."""

    blame: Blame = "customer_config"
    code = "configuration"
