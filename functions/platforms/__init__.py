"""One folder per platform; ``registry.toml`` names them."""
