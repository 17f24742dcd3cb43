"""What a run of checks is told: where to ask, how long, what counts as failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from deliverkit.config.settings import Config
from deliverkit.dns.options import DnsOptions
from deliverkit.dns.trace import Sink
from deliverkit.model.gate import Gate
from deliverkit.runs.timeouts import TIMEOUT

if TYPE_CHECKING:
    from deliverkit.report.baseline import Baseline
    from deliverkit.smtp.secret import Secret

CHECK_AREAS: Final = ("mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "dane", "dnssec")
"""What `check` judges: all that DNS and HTTPS tell of a domain."""
SESSION_AREAS: Final = ("smtp", "tls", "auth")
MX_AREAS: Final = (*SESSION_AREAS, "mx", "dane", "dnssec", "mta-sts")
"""What `smtp --mx` judges: the sessions, and the policies they are held to."""
AT_ONCE: Final = 32
"""Targets under way at a time."""

Progress = Callable[[int, int], None]
"""Called with how many targets are done, and of how many."""
Watch = Callable[[str, int, str], None]
"""Called with a host, a port and words as a session comes to each of its steps, and to its end."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `timeout` in seconds for each target, from its own start.

    `evidence` judges a saved run again; `save_evidence` writes this one. `questions` puts every DNS question
    into the report. `trace` and `progress` are called while it runs.
    """

    dns: DnsOptions = DnsOptions()
    gate: Gate = Gate()
    config: Config | None = None
    """The configuration, flags and environment merged into it; None: there is none, or none is wanted."""
    baseline: Baseline | None = None
    """The findings that are accepted as they stand; None: none."""
    baseline_path: Path | None = None
    """The file they are from."""
    timeout: float = TIMEOUT
    areas: tuple[str, ...] = ()
    """With `evidence`: the areas to judge of those that were saved; empty: all."""
    evidence: Path | None = None
    save_evidence: Path | None = None
    questions: bool = False
    trace: Sink | None = None
    progress: Progress | None = None
    watch: Watch | None = None
    secret: Secret | None = None
    """The password or token of a login: it goes to the sessions and nowhere else."""
    failed: Callable[[str, BaseException], None] | None = None
    """Called with a target and the bug that ended it."""
    ahead: tuple[str, ...] = ()
    """Modules that whoever reads the report will need: imported while the answers are awaited."""


class RunError(Exception):
    """The run cannot be done as asked; the message is one clear line."""
