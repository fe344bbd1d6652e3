"""What an hour of an instance costs on AWS, on demand: for ``clary cost``, and for Studio's pages of jobs.

The table is ``prices.toml`` beside this module, with its source and date
(https://aws.amazon.com/sagemaker/ai/pricing/).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("prices.toml")


class PricesUnreadable(ValueError):
    """A file of prices is missing or not laid out as ``prices.toml``."""


@dataclass(frozen=True)
class Prices:
    """Dollars an hour by instance type, and where they are from."""

    hour: dict[str, float]
    source: str
    region: str
    as_of: str

    @classmethod
    def read(cls, file: Path = FILE) -> Prices:
        """The prices in a TOML file laid out as ``prices.toml``. Raises ``PricesUnreadable``."""
        try:
            document = tomllib.loads(file.read_text("utf-8"))
            hour = {str(name): float(price) for name, price in document["hour"].items()}
            prices = cls(hour, *(str(document[name]) for name in ("source", "region", "as_of")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise PricesUnreadable(f"The prices in {file} cannot be read: {error!r}.") from error
        if any(not 0 <= price < float("inf") for price in hour.values()):
            raise PricesUnreadable(f"The prices in {file} cannot be read: a price is not a number of dollars.")
        return prices
