"""Serve a sandbox on loopback: ``python -m sandbox <platform> --port 4601 [--seed seed.json]``."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

import uvicorn


def main() -> None:
    """Make the platform's sandbox from the seed and serve it until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m sandbox")
    parser.add_argument("platform")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=Path)
    args = parser.parse_args()
    seed = json.loads(args.seed.read_text()) if args.seed else {}
    module = importlib.import_module(f"platforms.{args.platform}.sandbox")
    uvicorn.run(module.make(seed).app, host="127.0.0.1", port=args.port, log_level="warning")


if __name__ == "__main__":
    main()
