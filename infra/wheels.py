"""Which wheels the dependencies layer is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wheels:
    """An interpreter and a platform to choose wheels for."""

    python: str
    platform: str | None
    """uv's name of the target platform; None is this machine's own."""


AWS_WHEELS = Wheels(python="3.13", platform="aarch64-manylinux2014")
