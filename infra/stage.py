"""A stage: its name, and what may differ from one stage to another."""

import re
from dataclasses import dataclass, field

from infra.wheels import AWS_WHEELS, Wheels

TTL_ATTRIBUTE = "expires_at"
ARCHIVE_DAYS = 30
_NAME = re.compile(r"^[a-z][a-z0-9]{1,11}$")


@dataclass(frozen=True)
class Stage:
    """One deployment of the bridge. The defaults are for AWS.

    A field may differ for the local stage alone, and only with a reason: see
    ``infra.local.differences``, where the local stage is made.
    """

    name: str
    bootstrapped: bool = True
    """Whether `cdk bootstrap` made roles to deploy with."""
    tls_only: bool = True
    archive: bool = True
    metric_math: bool = True
    retain: bool = True
    """Whether data outlives its stack."""
    service_workers: int = 10
    """How many copies of a service's function work at once, at the most."""
    wheels: Wheels = field(default=AWS_WHEELS)

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(
                f"stage: '{self.name}' must be 2 to 12 lower case letters and digits, "
                "and start with a letter"
            )

    def resource(self, *parts: str) -> str:
        """Name a resource: ``fizzbridge-prod-erp-documents``."""
        return "-".join(("fizzbridge", self.name, *parts))

    def secret(self, connection: str, purpose: str) -> str:
        """Name a secret: ``/fizzbridge/prod/erp/api``."""
        return f"/fizzbridge/{self.name}/{connection}/{purpose}"
