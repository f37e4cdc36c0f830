"""The stacks: one core, and one for each connection."""
