"""``python -m clary_runtimes.algorithms.blazingtext.compile``: call every kernel once, so that it is compiled."""

from __future__ import annotations

import tempfile
from pathlib import Path

from clary_runtimes.algorithms.blazingtext.classifier import TextClassifier
from clary_runtimes.algorithms.blazingtext.words import WordVectors


def main() -> None:
    """Fit a small model in every way that does not leave it to a library."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        path.write_text("__label__a one two three\n__label__b four five six\n" * 20)
        WordVectors("batch_skipgram", vector_dim=4, epochs=1).fit(path)
        TextClassifier(vector_dim=4, buckets=10, epochs=1, early_stopping=True).fit(path, path)


if __name__ == "__main__":
    main()
