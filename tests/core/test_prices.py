"""The prices of instances: the table that comes with Clary, and those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.core.prices import FILE, Prices, PricesUnreadable

OURS = FILE.read_text("utf-8")


def test_the_prices_that_come_with_clary() -> None:
    prices = Prices.read()
    assert prices.source.startswith("https://aws.amazon.com/")
    assert all(name.startswith("ml.") and price > 0 for name, price in prices.hour.items())


@pytest.mark.parametrize("text", ["", "[hour]\n", OURS.replace("0.115", '"dear"'), OURS.replace("0.115", "-1"), "?"])
def test_prices_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(PricesUnreadable, match="cannot be read"):
        Prices.read(file)


def test_prices_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(PricesUnreadable, match="cannot be read"):
        Prices.read(tmp_path / "none.toml")
