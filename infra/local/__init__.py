"""The local stack: the emulator, what differs on it, and how to bring it up and down."""
