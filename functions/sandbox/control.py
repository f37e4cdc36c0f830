"""The ``/_sandbox`` routes every sandbox has beside the vendor's own: faults, counts, reset."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults


def control_routes(
    faults: Callable[[], Faults], accepted: Counter[str], reset: Callable[[], None]
) -> list[Route]:
    """Routes to arm, list and clear faults, read the accepted writes, and start afresh.

    Args:
        faults: gives the sandbox's middleware (made after the routes it wraps).
        accepted: how often each write was committed, by the vendor's name for it.
        reset: brings the sandbox back to how it was made.
    """

    async def get_faults(_: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in faults().armed])

    async def arm_faults(request: Request) -> Response:
        faults().arm(*(Fault(**fault) for fault in json.loads(await request.body())))
        return JSONResponse({"armed": len(faults().armed)}, status_code=201)

    async def clear_faults(_: Request) -> Response:
        faults().clear()
        return Response(status_code=204)

    async def get_accepted(_: Request) -> Response:
        return JSONResponse(dict(accepted))

    async def post_reset(_: Request) -> Response:
        faults().clear()
        accepted.clear()
        reset()
        return Response(status_code=204)

    return [
        Route("/_sandbox/faults", get_faults, methods=["GET"]),
        Route("/_sandbox/faults", arm_faults, methods=["POST"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/accepted", get_accepted, methods=["GET"]),
        Route("/_sandbox/reset", post_reset, methods=["POST"]),
    ]
