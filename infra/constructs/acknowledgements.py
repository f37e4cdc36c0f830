"""Findings of cdk-nag that are meant, each with its reason beside the construct that causes it."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on a construct and what is below it.

    Args:
        construct: Where the findings are.
        reasons: Reason by rule id.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items())
    )
