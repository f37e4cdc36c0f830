"""What the stacks are made of. Nothing here knows a platform by name."""
