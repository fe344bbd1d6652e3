"""The channels of Amazon's own algorithms of tables: CSV or RecordIO, with the words of the official containers.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from clary_runtimes.algorithms.data import content_types, stream
from clary_runtimes.algorithms.data.table import NoDataError
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

SUPPORTED = (content_types.RECORDIO, content_types.CSV)


def open_rows(channel: Channel, width: int, labelled: bool) -> stream.Rows:
    """The rows of ``channel``, which have ``width`` features.

    ``labelled`` says whether the algorithm needs labels. One that does not ignores those in RecordIO, and leaves out as
    many columns of CSV as ``label_size`` says (1 where it says nothing). Raises ``UserError`` for a content type that
    is not supported.
    """
    content_type = channel.content_type or content_types.RECORDIO
    media = content_types.media_type(content_type)
    if media not in SUPPORTED:
        raise UserError(
            f"Content type {content_type} is not supported for channel '{channel.name}': use {' or '.join(SUPPORTED)}"
        )
    is_csv = media == content_types.CSV
    if is_csv and labelled and content_types.split(content_type)[1].get("label_size", "1") != "1":
        raise UserError(f"Channel '{channel.name}': label_size must be 1 in {content_type}")
    return stream.rows(channel, media, label=is_csv or labelled, width=width)


@contextlib.contextmanager
def reading(channel: Channel) -> Iterator[None]:
    """Explain what is wrong with the data of ``channel`` as the official containers do."""
    try:
        yield
    except NoDataError:
        raise
    except UserError as error:
        raise UserError(
            f"Unable to read data channel '{channel.name}'. Requested content-type is "
            f"'{channel.content_type or content_types.RECORDIO}'. "
            f"Please verify the data matches the requested content-type. ({error})"
        ) from error
