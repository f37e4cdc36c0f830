"""What a vendor's answer means: a table of rules, tried from the top.

An adapter adds rows for what its vendor says otherwise; it never wraps calls in try/except. Status
alone does not classify: several vendors send failures in a 200, or our own bugs as a 500, so rules
read the body as well. The second axis is whether the call could have changed something: trouble
during a write leaves its outcome unknown, the same trouble during a read does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any, Literal

from fizzbridge.errors import (
    Blame,
    ConfigurationError,
    ConflictError,
    FizzbridgeError,
    NotThereError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)

Plain = str | int | bool | None


@dataclass(frozen=True)
class Answer:
    """What a vendor answered.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        data: the JSON body with every fraction as Decimal, or what the platform's ``decode`` makes
            of a body; None where it is neither.
        text: the body as text.
        request_id: the vendor's name of this call, to quote to their support.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: Any = field(repr=False)
    text: str = field(repr=False)
    request_id: str = ""


@dataclass(frozen=True)
class Rule:
    """One row: when all its conditions hold, the verdict is final.

    Attributes:
        verdict: the error to raise, or ``success``. ``TargetUnavailableError`` becomes
            ``OutcomeUnknownError`` where the call writes.
        status: one status or a range of them; None for any.
        where: conditions on the body by dotted path (``error.data.name``, ``errors.0.code``): a
            plain value must be equal, a pattern must be found in the text there.
        media: what the content type must begin with.
        blame: whose fault it is, where the verdict's usual one is wrong.
    """

    verdict: type[FizzbridgeError] | Literal["success"]
    status: int | range | None = None
    where: Mapping[str, Plain | re.Pattern[str]] = field(default_factory=dict)
    media: str = ""
    blame: Blame | None = None

    def matches(self, answer: Answer) -> bool:
        """Whether this row is about that answer."""
        return (
            _has_status(self.status, answer.status)
            and answer.headers.get("content-type", "").startswith(self.media)
            and all(_holds(at(answer.data, path), want) for path, want in self.where.items())
        )


COMMON = (
    Rule("success", status=range(200, 300)),
    # Redirects are not followed: the base URL is wrong, or somebody moved the account.
    Rule(ConfigurationError, status=range(300, 400)),
    Rule(ConfigurationError, status=401),
    Rule(ConfigurationError, status=403),
    Rule(TargetUnavailableError, status=408),
    Rule(ConflictError, status=409),
    Rule(TargetUnavailableError, status=425),
    Rule(RateLimitedError, status=429),
    Rule(NotThereError, status=404),
    Rule(TargetRejectedError, status=range(400, 500)),
    Rule(TargetUnavailableError),
)
"""What holds for every vendor that says nothing else."""


@dataclass(frozen=True)
class ErrorRules:
    """A platform's rows and where its bodies keep the sentence and the code of a failure.

    Attributes:
        rules: tried before the common ones.
        message_at: dotted paths of the vendor's sentence; the first that holds text is taken.
        code_at: dotted paths of the vendor's short code.
        retry_after: how long an answer asks to wait, where it is not the Retry-After header.
        media: what the content type of a whole answer names.
        decode: reads a body that is no JSON; raises ValueError where it is not whole.
    """

    rules: tuple[Rule, ...] = ()
    message_at: tuple[str, ...] = ("message", "error.message", "errors.0.message", "detail")
    code_at: tuple[str, ...] = ("code", "error.code", "errors.0.code")
    retry_after: Callable[[Answer], timedelta | None] | None = None
    media: str = "json"
    decode: Callable[[str], Any] | None = None

    def error(
        self, answer: Answer, *, platform: str, call: str, writes: bool, said: Collection[str] = ()
    ) -> FizzbridgeError | None:
        """The error an answer stands for; None for a success.

        Args:
            answer: what came back.
            platform: slug, for the error.
            call: method and path without query, for the error.
            writes: whether the call could have changed something.
            said: texts of ours to keep out of the vendor's sentence.
        """
        rule = next(rule for rule in (*self.rules, *COMMON) if rule.matches(answer))
        if rule.verdict == "success":
            return None
        sentence = clean(self._text(answer, self.message_at), said)
        unknown = writes and issubclass(rule.verdict, TargetUnavailableError)
        verdict = OutcomeUnknownError if unknown else rule.verdict
        error = verdict(
            f"{call} was answered {answer.status}" + (f": {sentence}" if sentence else ""),
            code=clean(self._text(answer, self.code_at), said)[:64],
            platform=platform,
            request_id=answer.request_id,
            retry_after=self._wait(answer),
        )
        if rule.blame:
            error.blame = rule.blame
        return error

    @staticmethod
    def _text(answer: Answer, paths: tuple[str, ...]) -> str:
        found = (at(answer.data, path) for path in paths)
        return next((str(text) for text in found if text and isinstance(text, str | int)), "")

    def _wait(self, answer: Answer) -> timedelta | None:
        asked = self.retry_after(answer) if self.retry_after else None
        return asked or retry_after(answer.headers)


def at(data: Any, path: str) -> Any:
    """The value at a dotted path of a JSON body; None where there is none."""
    for step in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """The Retry-After header, in seconds or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return timedelta(seconds=float(value))
    # The vendor's own clock counts, where it shows it: ours may differ.
    now = headers.get("date")
    try:
        start = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return max(parsedate_to_datetime(value) - start, timedelta(0))
    except (ValueError, TypeError, OverflowError):  # no date, or one without zone
        return None


_TAG = re.compile(r"<[^>]*>")
_MAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_PHONE = re.compile(r"\+\d[\d ().-]{6,}\d")
# A vendor's code may be as long as a token; a token has a digit.
_TOKEN = re.compile(r"\b(?=[A-Za-z_\-]*\d)[A-Za-z0-9_\-]{32,}\b")
# Sixteen digits in fours, or fifteen as American Express writes them; barcodes have fewer.
_CARD = re.compile(r"\b(?:\d{4}[ -]){3}\d{1,7}\b|\b\d{4}[ -]\d{6}[ -]\d{5}\b|\b\d{15,19}\b")
_MARKS = ".,;:!?()[]\"'"
_WORDS = 500
"""Of one text; who quotes a novel quotes its beginning."""

_VAT = re.compile(r"[A-Z]{2}[0-9][0-9A-Z]{6,}")


def clean(text: str, said: Collection[str] = (), limit: int = 300) -> str:
    """A vendor's sentence fit for people and logs.

    Markup, mail addresses, numbers of phones and cards, tokens and the given texts of ours are
    taken out; codes such as SKUs and references stay, since they are what the sentence is read for.
    """
    text = " ".join(_TAG.sub(" ", text).split())
    for ours in sorted(said, key=len, reverse=True):
        text = text.replace(ours, "…")
    for pattern in (_MAIL, _PHONE, _CARD, _TOKEN):
        text = pattern.sub("…", text)
    text = "".join(letter for letter in text if letter.isprintable())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def personal(sent: Any) -> Iterator[str]:
    """Texts in a body that may be a person's: with a blank, in mixed case, a mail, a VAT number.

    A vendor may quote part of a longer one, so every two words of it are given as well where one of
    them has a capital letter. A single word out of a longer text is not known again.
    """
    if isinstance(sent, Mapping):
        for value in sent.values():
            yield from personal(value)
    elif isinstance(sent, list | tuple):
        for value in sent:
            yield from personal(value)
    elif isinstance(sent, str) and len(sent) > 2 and looks_personal(sent):
        yield " ".join(sent.split())
        words = _TAG.sub(" ", sent).split()
        if len(words) > 1:
            yield " ".join(words)
        for pair in pairwise(word.strip(_MARKS) for word in words[:_WORDS]):
            two = " ".join(pair)
            if all(pair) and two != two.lower():
                yield two


def looks_personal(text: str) -> bool:
    """Whether a text may be a person's: with a blank, in mixed case, a mail, a VAT number."""
    mixed = any(letter.isupper() for letter in text) and any(letter.islower() for letter in text)
    return mixed or " " in text or "@" in text or bool(_VAT.fullmatch(text))


def _has_status(wanted: int | range | None, status: int) -> bool:
    return wanted is None or (status in wanted if isinstance(wanted, range) else status == wanted)


def _holds(value: Any, wanted: Plain | re.Pattern[str]) -> bool:
    if isinstance(wanted, re.Pattern):
        return isinstance(value, str) and wanted.search(value) is not None
    # 1 == True in Python, and a vendor's `false` is not its 0.
    return type(value) is type(wanted) and value == wanted
