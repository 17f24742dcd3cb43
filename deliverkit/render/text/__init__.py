"""Text for people: the verdict first, then what hurts most, the fix, what could not be told, what next."""
