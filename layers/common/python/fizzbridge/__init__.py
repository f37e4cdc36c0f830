"""The shared code of fizzbridge: the canonical model, the runtime and its ports."""
