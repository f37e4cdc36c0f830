"""Settings all tests share."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
# Deadlines time; timing belongs in benchmarks, and two cores are shared by the workers.
settings.register_profile("unit", max_examples=60, deadline=None, suppress_health_check=SLOW)
for name in ("faults", "fuzz"):
    settings.register_profile(
        name, max_examples=100_000, deadline=None, suppress_health_check=SLOW, database=None
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))
