"""Settings of Hypothesis: no deadline for one example, since a busy machine is no defect."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
