"""The worlds that come with the package, as `.world` files."""
