"""Reads a bridge file with the catalogue and schemes it names, and checks all of it at once.

Every mistake becomes one line with its place in the file. Used when stacks are synthesised and by
the command line; functions read the compiled result instead.
"""

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from fizzbridge.http.addresses import own_addresses, problem
from fizzbridge.manifest import Manifest, RegistryError, load_registry
from fizzbridge.mistakes import explain, suggestion
from fizzbridge.model.catalogue import CatalogueItem, ListPrice
from fizzbridge.model.entity import Kind, Role
from fizzbridge.model.order import OrderClass
from fizzbridge.model.scheme import Scheme
from fizzbridge.settings import (
    LOCAL_STAGE,
    SHARED_ROLES,
    Bridge,
    BridgeFileError,
    Connection,
)
from fizzbridge.trade.gtin import DIGITS, SAME_ITEM, gtin14, is_case_of
from fizzbridge.trade.replenishment import QUANTILES

Row = TypeVar("Row", CatalogueItem, ListPrice)
_PROJECT_ROOT = Path(__file__).resolve().parents[4]


def read(path: Path, root: Path | None = None, *, stage: str = LOCAL_STAGE) -> Bridge:
    """Read and check the file; see ``fizzbridge.settings.load_bridge_file``."""
    data = _toml(path, path.name)
    try:
        manifests = load_registry(root or _PROJECT_ROOT)
    except RegistryError as error:
        raise BridgeFileError(error.mistakes) from error
    try:
        bridge = Bridge.model_validate(data)
    except ValidationError as error:
        raise BridgeFileError(explain(error, Bridge, data)) from error
    mistakes = [*_cross_checks(bridge, manifests, stage), *_named_files(bridge, path.parent)]
    if mistakes:
        raise BridgeFileError(mistakes)
    return bridge


def read_catalogue(bridge: Bridge, folder: Path) -> tuple[CatalogueItem, ...]:
    """Read the product facts the bridge file names.

    Args:
        bridge: The checked bridge.
        folder: The folder the bridge file is in.

    Raises:
        BridgeFileError: A row is wrong; every mistake names row and column.
    """
    if bridge.catalogue is None:
        return ()
    items, mistakes = _table(folder, bridge.catalogue.file, "file", CatalogueItem)
    wrong = (*_overlaps(items), *_numbers(items), *_shared_codes(items), *_levels(items))
    mistakes += [f"{bridge.catalogue.file}: {line}" for line in wrong]
    if mistakes:
        raise BridgeFileError(mistakes)
    return tuple(items)


def read_prices(bridge: Bridge, folder: Path) -> tuple[ListPrice, ...]:
    """Read the prices the bridge file names; arguments and errors as ``read_catalogue``."""
    if bridge.catalogue is None or bridge.catalogue.prices is None:
        return ()
    prices, mistakes = _table(folder, bridge.catalogue.prices, "prices", ListPrice)
    if mistakes:
        raise BridgeFileError(mistakes)
    return tuple(prices)


def columns_of(model: type[CatalogueItem] | type[ListPrice]) -> dict[str, str]:
    """The columns of a model's CSV file, each with the field it fills."""
    return {name.removeprefix("is_"): name for name in model.model_fields}


def _table(folder: Path, name: str, key: str, model: type[Row]) -> tuple[list[Row], list[str]]:
    """Rows of a CSV file of the catalogue, and what is wrong with it."""
    known = columns_of(model)
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BridgeFileError([f"catalogue: {key}: {name} cannot be read"]) from error
    rows = csv.DictReader(text.splitlines())
    mistakes = [
        f"{name}: column {column}: is not known here{suggestion(column, known)}"
        for column in rows.fieldnames or ()
        if column not in known
    ]
    if mistakes:
        raise BridgeFileError(mistakes)
    found: list[Row] = []
    for number, row in enumerate(rows, start=2):
        where = f"{name}: row {number} ({row.get('sku') or '?'})"
        if None in row:
            mistakes.append(f"{where}: has more cells than the first row names columns")
            continue
        filled = {
            known[column]: value.strip() for column, value in row.items() if value and value.strip()
        }
        try:
            found.append(model.model_validate(filled))
        except ValidationError as error:
            lines = explain(error, model, filled)
            mistakes += [f"{where}, column {line.removeprefix('is_')}" for line in lines]
    return found, mistakes


def read_schemes(bridge: Bridge, folder: Path) -> tuple[Scheme, ...]:
    """Read the deposit and levy rates the bridge file names; arguments as ``read_catalogue``."""
    if bridge.catalogue is None or bridge.catalogue.schemes is None:
        return ()
    name = bridge.catalogue.schemes
    data = _toml(folder / name, f"catalogue: schemes: {name}").get("schemes", [])
    mistakes: list[str] = []
    schemes: list[Scheme] = []
    for number, entry in enumerate(data):
        try:
            schemes.append(Scheme.model_validate(entry))
        except ValidationError as error:
            label = entry.get("name", "?") if isinstance(entry, dict) else "?"
            mistakes += [
                f"{name}: schemes[{number}] ({label}): {line}"
                for line in explain(error, Scheme, entry)
            ]
    if mistakes:
        raise BridgeFileError(mistakes)
    return tuple(schemes)


def _toml(path: Path, label: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise BridgeFileError([f"{label}: cannot be read"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BridgeFileError([f"{label}: not valid TOML: {error}"]) from error


def _named_files(bridge: Bridge, folder: Path) -> Iterator[str]:
    for reader in (read_catalogue, read_schemes, read_prices):
        try:
            reader(bridge, folder)
        except BridgeFileError as error:
            yield from error.mistakes


def _cross_checks(bridge: Bridge, manifests: Mapping[str, Manifest], stage: str) -> Iterator[str]:
    yield from _connections(bridge.connections, manifests, stage)
    yield from _owners(bridge.connections)
    yield from _routes(bridge, manifests)
    yield from _schedules(bridge, manifests)
    yield from _canary(bridge, manifests)
    if stage != LOCAL_STAGE and bridge.timing.visibility < 6 * bridge.timing.target_timeout:
        yield "timing: visibility must be at least six times target_timeout on AWS"


def _connections(
    connections: Sequence[Connection], manifests: Mapping[str, Manifest], stage: str
) -> Iterator[str]:
    seen: set[str] = set()
    for number, connection in enumerate(connections):
        where = f"connections[{number}] ({connection.name})"
        if connection.name in seen:
            yield f"{where}: name: '{connection.name}' is used twice"
        seen.add(connection.name)
        if connection.name in {"core", "assess"}:
            yield f"{where}: name: '{connection.name}' is taken by the bridge itself"
        if connection.platform not in manifests:
            near = suggestion(connection.platform, manifests)
            yield f"{where}: platform: '{connection.platform}' is not registered{near}"
        for key, address in own_addresses(connection.base_url, connection.settings):
            wrong = problem(address, local=stage == LOCAL_STAGE)
            if wrong:
                yield f"{where}: {key}: {wrong}"


def _owners(connections: Sequence[Connection]) -> Iterator[str]:
    owner: dict[str, str] = {}
    for number, connection in enumerate(connections):
        for role in connection.roles:
            if role in SHARED_ROLES:
                continue
            first = owner.setdefault(role, connection.name)
            if first != connection.name:
                yield (
                    f"connections[{number}] ({connection.name}): roles: "
                    f"'{role}' is already owned by '{first}'"
                )


def _routes(bridge: Bridge, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    platforms = {connection.name: connection.platform for connection in bridge.connections}
    for number, route in enumerate(bridge.routes):
        for value in route.where.get("class", ()):
            if value not in list(OrderClass):
                yield f"routes[{number}]: where.class: '{value}' is not an order class"
        if Kind.STOCK_LEVEL in route.kinds and (bridge.stock is None or bridge.catalogue is None):
            yield (
                f"routes[{number}]: kinds: StockLevel is shown by what [stock] keeps back and "
                "[catalogue] says of packs; the file has no such table"
            )
        for key, names in (("from", route.sources), ("to", route.targets)):
            for name in names:
                where = f"routes[{number}]: {key}"
                manifest = manifests.get(platforms.get(name, ""))
                if name not in platforms:
                    yield f"{where}: '{name}' is not a connection{suggestion(name, platforms)}"
                elif manifest:
                    held = manifest.entities.source if key == "from" else manifest.entities.target
                    yield from _unheld(where, name, platforms[name], route.kinds, held, key)


def _unheld(
    where: str, name: str, platform: str, kinds: Sequence[Kind], held: Sequence[Kind], key: str
) -> Iterator[str]:
    for kind in kinds:
        if kind not in held:
            verb = "report" if key == "from" else "hold"
            known = ", ".join(held) or "nothing"
            yield f"{where}: '{name}' ({platform}) cannot {verb} {kind}; it can {verb} {known}"


def _schedules(bridge: Bridge, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    platforms = {connection.name: connection.platform for connection in bridge.connections}
    seen: set[tuple[str, str]] = set()
    for number, schedule in enumerate(bridge.schedules):
        where = f"schedules[{number}]"
        name = schedule.connection
        if name not in platforms:
            yield f"{where}: connection: '{name}' is not a connection{suggestion(name, platforms)}"
            continue
        if (name, schedule.stream) in seen:
            yield f"{where}: stream: '{schedule.stream}' of '{name}' has two schedules"
        seen.add((name, schedule.stream))
        manifest = manifests.get(platforms[name])
        if manifest and not manifest.stream(schedule.stream):
            streams = [stream.name for stream in manifest.streams]
            has = ", ".join(streams) or "none"
            near = suggestion(schedule.stream, streams) or f"; it has {has}"
            yield f"{where}: stream: '{schedule.stream}' is not a stream of {platforms[name]}{near}"


def _canary(bridge: Bridge, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    if bridge.canary is None:
        return
    name, known = bridge.canary.connection, {one.name: one for one in bridge.connections}
    if name not in known:
        yield f"canary: connection: '{name}' is not a connection{suggestion(name, known)}"
        return
    manifest = manifests.get(known[name].platform)
    if manifest and not manifest.own_records:
        able = ", ".join(slug for slug, one in manifests.items() if one.own_records)
        yield (
            f"canary: connection: '{name}' ({known[name].platform}) does not take the bridge's own "
            f"records; a connection of {able} does"
        )
    if known[name].roles != (Role.ORDER_REQUEST,):
        yield f"canary: connection: '{name}' must have the role 'order.request' and no other"
    routes = [one for one in bridge.routes if Kind.ORDER in one.kinds and name in one.sources]
    if not routes:
        yield f"canary: connection: no route takes orders of '{name}' anywhere"


def _overlaps(items: Sequence[CatalogueItem]) -> Iterator[str]:
    """Two rows of one SKU must not hold on the same day, or a pack size would be ambiguous."""
    spans: dict[str, list[CatalogueItem]] = {}
    for item in items:
        for other in spans.setdefault(item.sku, []):
            if _first(item) <= _last(other) and _first(other) <= _last(item):
                yield f"{item.sku}: rows valid from {_first(other)} and {_first(item)} overlap"
        spans[item.sku].append(item)


def _levels(items: Sequence[CatalogueItem]) -> Iterator[str]:
    """Service levels nobody has a quantile for."""
    for item in items:
        if item.service_level is not None and item.service_level not in QUANTILES:
            known = ", ".join(str(one) for one in QUANTILES)
            yield f"{item.sku}, column service_level: {item.service_level} is not one of {known}"


def _shared_codes(items: Sequence[CatalogueItem]) -> Iterator[str]:
    """One code for two products on the same day: one of them would be shipped for the other."""
    sold: dict[str, list[CatalogueItem]] = {}
    for item in items:
        numbers = (number.strip().zfill(DIGITS) for number in (item.gtin, item.case_gtin) if number)
        for code in {*item.sold_as(), *numbers}:
            for other in sold.setdefault(code, []):
                is_at_once = _first(item) <= _last(other) and _first(other) <= _last(item)
                if other.sku != item.sku and is_at_once:
                    yield f"{item.sku}: the code {code} is also that of {other.sku}"
            sold[code].append(item)


def _numbers(items: Sequence[CatalogueItem]) -> Iterator[str]:
    """Barcodes that are none, or that say they are a case of something else."""
    for item in items:
        right = []
        for column in ("gtin", "case_gtin"):
            try:
                right += [gtin14(number)] if (number := getattr(item, column)) else []
            except ValueError as error:
                yield f"{item.sku}, column {column}: {error}"
        if len(right) > 1 and right[1][0] in SAME_ITEM and not is_case_of(right[1], right[0]):
            yield f"{item.sku}, column case_gtin: '{item.case_gtin}' is a case of another item"


def _first(item: CatalogueItem) -> date:
    return item.valid_from or date.min


def _last(item: CatalogueItem) -> date:
    return item.valid_to or date.max
