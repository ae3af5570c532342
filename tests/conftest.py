"""What holds for every test: machines are shared and noisy, so no example fails for having taken long."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("comity", deadline=None)
settings.load_profile("comity")
