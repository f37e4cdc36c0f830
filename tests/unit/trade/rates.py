"""Rates of real schemes, for tests: what a company would write into its own schemes file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from fizzbridge.model.catalogue import Material
from fizzbridge.model.scheme import Measure, Scheme, SchemeKind, TaxMode

METAL_AND_PET = (Material.PET, Material.ALUMINIUM, Material.STEEL)


def scheme(name: str, amount: str, country: str, currency: str, **more: Any) -> Scheme:
    return Scheme(
        name=name,
        amount=Decimal(amount),
        countries=(country,),
        currency=currency,
        **{
            "kind": SchemeKind.DEPOSIT,
            "tax_mode": TaxMode.EXCLUDED,
            "valid_from": date(2020, 1, 1),
        }
        | more,
    )


_IE = {"materials": METAL_AND_PET, "is_refillable": False, "valid_from": date(2024, 2, 1)}
_DE = {"tax_mode": TaxMode.FOLLOWS_GOODS}
_US = {"kind": SchemeKind.LEVY, "per": Measure.FL_OZ}
_SDIL = {
    "kind": SchemeKind.LEVY,
    "per": Measure.LITRE,
    "is_charged": False,
    "has_added_sugar": True,
    "below_milk_percent": Decimal(75),
    "max_abv_percent": Decimal("1.2"),
    "valid_from": date(2025, 4, 1),
    "valid_to": date(2026, 3, 31),
}

IE_SMALL = scheme("ie-small", "0.15", "IE", "EUR", min_ml=Decimal(150), max_ml=Decimal(500), **_IE)
IE_LARGE = scheme(
    "ie-large", "0.25", "IE", "EUR", above_ml=Decimal(500), max_ml=Decimal(3000), **_IE
)
UK_DRS = scheme(
    "uk-drs",
    "0.20",
    "GB",
    "GBP",
    regions=("ENG", "SCT", "NIR"),
    materials=METAL_AND_PET,
    is_refillable=False,
    min_ml=Decimal(150),
    max_ml=Decimal(3000),
    valid_from=date(2027, 10, 1),
)
DE_ONE_WAY = scheme(
    "de-one-way", "0.25", "DE", "EUR", is_refillable=False, max_ml=Decimal(3000), **_DE
)
DE_BEER = scheme(
    "de-beer", "0.08", "DE", "EUR", is_refillable=True, containers=("beer-bottle",), **_DE
)
DE_BOTTLE = scheme(
    "de-bottle", "0.15", "DE", "EUR", is_refillable=True, containers=("bottle-1l",), **_DE
)
DE_CRATE = scheme(
    "de-crate", "1.50", "DE", "EUR", per=Measure.CRATE, containers=("crate-12", "crate-20"), **_DE
)
CA_SMALL = scheme(
    "us-ca-small", "0.05", "US", "USD", regions=("CA",), below_ml=Decimal("709.7647095"), **_DE
)
CA_LARGE = scheme(
    "us-ca-large", "0.10", "US", "USD", regions=("CA",), min_ml=Decimal("709.7647095"), **_DE
)
PHILADELPHIA = scheme(
    "us-phl", "0.015", "US", "USD", regions=("PA",), cities=("Philadelphia",), **_US
)
UK_SDIL_LOWER = scheme(
    "uk-sdil-lower",
    "0.194",
    "GB",
    "GBP",
    min_sugar_g=Decimal(5),
    below_sugar_g=Decimal(8),
    **_SDIL,
)
UK_SDIL_HIGHER = scheme("uk-sdil-higher", "0.259", "GB", "GBP", min_sugar_g=Decimal(8), **_SDIL)
UK_CYLINDER = scheme(
    "uk-cylinder",
    "60.00",
    "GB",
    "GBP",
    containers=("co2-cylinder",),
    tax_mode=TaxMode.OWN_RATE,
    tax_rate=Decimal("0.2"),
)

SCHEMES = (
    IE_SMALL,
    IE_LARGE,
    UK_DRS,
    DE_ONE_WAY,
    DE_BEER,
    DE_BOTTLE,
    DE_CRATE,
    CA_SMALL,
    CA_LARGE,
    PHILADELPHIA,
    UK_SDIL_LOWER,
    UK_SDIL_HIGHER,
    UK_CYLINDER,
)
