"""The evidence tree: what the world said, parsed and typed, without an opinion.

Every node is a `Fact`: frozen, and walked by the engine, which shows each rule every node of the
type its annotation names.
"""

from deliverkit.facts.tree import Fact, Gap, subjects

__all__ = ["Fact", "Gap", "subjects"]
