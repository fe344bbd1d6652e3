"""What happens after every boosting round: metrics in the log, checkpoints, the intermediate model."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import xgboost

from clary_runtimes.algorithms.xgboost.library import RELEASE
from clary_runtimes.algorithms.xgboost.metrics import TAB

CHECKPOINT = "xgboost-checkpoint"
KEPT_CHECKPOINTS = 5


class InOrder(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Several callbacks as one, all of them called every round.

    The library keeps its callbacks in a set and calls no more of them once one wants to stop, so that the last round's
    metrics would be missing in some runs.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        self.callbacks = callbacks

    def before_training(self, model: Any) -> Any:
        for callback in self.callbacks:
            model = callback.before_training(model)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        wishes = [callback.after_iteration(model, epoch, evals_log) for callback in self.callbacks]
        return any(wishes)

    def after_training(self, model: Any) -> Any:
        for callback in self.callbacks:
            model = callback.after_training(model)
        return model


class MetricsLog(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Says ``[round]#011train-rmse:0.1#011validation-rmse:0.2``, where the documented expressions find it."""

    def __init__(self, first_round: int, say: Callable[[str], None]) -> None:
        self.first_round, self.say = first_round, say

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        values = (
            f"{TAB}{segment}-{name}:{history[-1]:.5f}"
            for segment, metrics in evals_log.items()
            for name, history in metrics.items()
        )
        self.say(f"[{epoch + self.first_round}]{''.join(values)}")
        return False


class Checkpoints(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Saves the model of every round as ``xgboost-checkpoint.<round>``, the last few of which are kept."""

    def __init__(self, folder: Path, first_round: int) -> None:
        self.folder, self.first_round = folder, first_round
        folder.mkdir(parents=True, exist_ok=True)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        number = epoch + self.first_round
        save_model(model, self.folder / f"{CHECKPOINT}.{number}")
        (self.folder / f"{CHECKPOINT}.{number - KEPT_CHECKPOINTS}").unlink(missing_ok=True)
        return False


class IntermediateModel(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Keeps the newest model in the model folder, so that a job which is stopped still has one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        signal.signal(signal.SIGTERM, self._leave)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        save_model(model, self.path)
        return False

    @staticmethod
    def _leave(number: int, frame: FrameType | None) -> None:
        os._exit(0)  # the training loop is in native code: nothing to unwind, and the model is on disk


def save_model(model: Any, path: Path) -> None:
    """Save a booster in the library's own format; a half-written file never bears the name ``path``.

    From release 1.3 on the official container writes what ``Booster.save_model`` does, not a pickle.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name beginning with a dot is neither a model nor a checkpoint to whoever lists the folder.
    temporary = path.with_name(f".{path.name}.partial")
    # Saving to a name without suffix does the same, with a warning in every log.
    temporary.write_bytes(model.save_raw(raw_format="ubj" if RELEASE >= 2 else "deprecated"))
    temporary.replace(path)


def newest_checkpoint(folder: Path | None) -> tuple[Path | None, int]:
    """The last checkpoint in ``folder`` and the number of the round after it; (None, 0) if there is none."""
    if folder is None or not folder.is_dir():
        return None, 0
    numbers = [
        int(found.group(1)) for file in folder.iterdir() if (found := re.fullmatch(rf"{CHECKPOINT}\.(\d+)", file.name))
    ]
    if not numbers:
        return None, 0
    return folder / f"{CHECKPOINT}.{max(numbers)}", max(numbers) + 1
