"""What the configuration expects of a domain, in what is asked about it."""

from __future__ import annotations

import msgspec

from deliverkit.config.sample import sampled
from deliverkit.config.settings import Config
from deliverkit.model import Expected, Inputs


def with_expected(inputs: Inputs, config: Config | None) -> Inputs:
    """The request with the expected state of its domain; as it is, where nothing is expected.

    Selectors that were typed stand for themselves, with the CNAMEs that are expected of them. Senders that were typed
    are judged beside the configuration's, save where their verdicts are the very question (`spf --ip`).
    """
    entry = config.domains.get(inputs.domain) if config is not None else None
    if entry is None:
        return inputs
    typed = inputs.selectors
    return msgspec.structs.replace(
        inputs,
        selectors=typed or entry.dkim_selectors,
        senders=inputs.senders
        if inputs.verdicts_only
        else tuple(dict.fromkeys((*inputs.senders, *sampled(entry.senders)))),
        expected=Expected(
            role=entry.role,
            mx=entry.mx,
            dmarc=entry.dmarc,
            mta_sts=entry.mta_sts,
            dkim_cnames={
                selector: name for selector, name in entry.dkim_cnames.items() if not typed or selector in typed
            },
        ),
    )
