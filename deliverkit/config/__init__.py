"""The configuration: `deliverkit.toml` found, read strictly, and kept with the line of every key.

What is wrong with a file is one line that begins with `path:line`. Flags win over the environment, the environment over
the file, the file over the defaults; who merges them is `cli/configuring.py`.

`find.find` says which file holds in a folder, `read.load` reads it; neither is imported before there is a file to read.
"""

from deliverkit.config.settings import Config, ConfigError, DomainConfig, Ignore

__all__ = ["Config", "ConfigError", "DomainConfig", "Ignore"]
