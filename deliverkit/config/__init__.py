"""The configuration: `deliverkit.toml` found, read strictly, and kept with the line of every key.

What is wrong with a file is one line that begins with `path:line`. Flags win over the environment, the environment over
the file, the file over the defaults; who merges them is `cli/configuring.py`.
"""

from deliverkit.config.find import NAMES, find
from deliverkit.config.read import load
from deliverkit.config.settings import Config, ConfigError, DomainConfig, Ignore

__all__ = ["NAMES", "Config", "ConfigError", "DomainConfig", "Ignore", "find", "load"]
