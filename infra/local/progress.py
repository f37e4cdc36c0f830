"""Steps on the terminal, each with the time it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(highlight=False)
failed = Console(highlight=False, stderr=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show a step while it runs, and its time when it is done."""
    start = time.monotonic()
    with console.status(title):
        yield
    console.print(f"  [green]✓[/] {title} [dim]{time.monotonic() - start:.1f} s[/]")
