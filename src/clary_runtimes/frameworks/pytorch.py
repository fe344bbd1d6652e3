"""The default functions of the PyTorch image: a TorchScript model that gets and gives tensors.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html#serve-a-pytorch-model
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from clary_runtimes.contract.errors import UserError
from clary_runtimes.frameworks import encoding

FILE = "model.pt"


def load(folder: str) -> Any:
    """The TorchScript model ``model.pt``, or the only ``.pt`` or ``.pth`` file. Raises ``UserError`` in AWS's words."""
    path = Path(folder) / FILE
    if not path.is_file():
        files = (file for file in Path(folder).iterdir() if file.is_file())
        found = sorted(file.name for file in files if file.suffix in (".pt", ".pth"))
        if len(found) != 1:
            raise UserError(f"Exactly one .pth or .pt file is required for PyTorch models: {found}")
        path = path.with_name(found[0])
    try:
        return torch.jit.load(str(path), map_location=_device()).eval()
    except RuntimeError as error:
        raise UserError(f"Failed to load {path}. Please ensure model is saved using torchscript.") from error


def read(body: bytes, content_type: str) -> Any:
    """The rows of a request as a tensor, text as float32. Raises as ``encoding.decode``."""
    return torch.from_numpy(encoding.decode(body, content_type)).to(_device())


def predict(data: Any, model: Any) -> Any:
    """What the model makes of the tensor."""
    with torch.no_grad():
        model = model.to(_device())
        model.eval()
        return model(data.to(_device()))


def write(prediction: Any, accept: str) -> Any:
    """A tensor as ``accept``. Raises as ``encoding.encode``."""
    if isinstance(prediction, torch.Tensor):
        prediction = prediction.detach().cpu().numpy()
    return encoding.encode(prediction, accept)


def _device() -> Any:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
