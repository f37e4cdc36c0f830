"""The trade's rules, as pure functions on the canonical model."""
