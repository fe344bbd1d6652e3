"""The default functions of the Hugging Face image: a pipeline of Transformers for the task of the model.

Environment: ``HF_TASK`` (else the task follows from the architecture in ``config.json``), ``HF_MODEL_ID`` and
``HF_MODEL_REVISION`` (a model of the hub, where the model's folder has none), ``HF_TRUST_REMOTE_CODE``.

Reference: https://huggingface.co/docs/sagemaker/inference
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.contract.errors import UserError
from clary_runtimes.frameworks import encoding
from clary_runtimes.serving.request import RequestError

TASKS: Mapping[str, str] = {
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForTokenClassification": "token-classification",
    "ForSequenceClassification": "text-classification",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "GPT2LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "EncoderDecoderModel": "text2text-generation",
    "T5WithLMHeadModel": "text2text-generation",
}
"""The task of a model by the end of its architecture's name."""
_OF_FEATURES = (
    "automatic-speech-recognition",
    "audio-classification",
    "image-classification",
    "image-segmentation",
    "object-detection",
    "zero-shot-image-classification",
)
_COLUMNS = ("inputs", "question", "context")


def load(folder: str) -> Any:
    """The pipeline of the model in the folder, or of the hub. Raises ``UserError`` where the task is not known."""
    import torch
    from transformers import pipeline

    config = Path(folder) / "config.json"
    model = folder if config.is_file() else os.environ.get("HF_MODEL_ID", "")
    if not model:
        raise UserError(f"There is no config.json in {folder}, and HF_MODEL_ID names no model of the hub")
    task = os.environ.get("HF_TASK") or (task_of(config) if config.is_file() else None)
    beside = {}
    if model == folder:
        beside["feature_extractor" if task in _OF_FEATURES else "tokenizer"] = folder
    return pipeline(
        task=task,
        model=model,
        revision=os.environ.get("HF_MODEL_REVISION") if model != folder else None,
        device=0 if torch.cuda.is_available() else -1,
        trust_remote_code=os.environ.get("HF_TRUST_REMOTE_CODE", "").lower() in ("1", "true"),
        **beside,
    )


def task_of(config: Path) -> str:
    """The task that a model's ``config.json`` tells. Raises ``UserError``."""
    [architecture, *_] = json.loads(config.read_text(encoding="utf-8")).get("architectures") or [""]
    for ending, task in TASKS.items():
        if architecture.endswith(ending):
            return task
    raise UserError(
        f"Task couldn't be inferenced from {architecture}. Inference Toolkit can only inference tasks from "
        f"architectures ending with {list(TASKS)}. Use env `HF_TASK` to define your task."
    )


def read(body: bytes, content_type: str) -> Any:
    """``{"inputs": …, "parameters": …}`` as JSON, or as CSV with a header of ``inputs``, or of ``question`` and
    ``context``. Raises ``RequestError``: 415 for another type, 400 for what is not of its type."""
    media = content_types.media_type(content_type)
    try:
        if media == content_types.JSON:
            return json.loads(body)
        if media == content_types.CSV:
            rows = list(csv.DictReader(io.StringIO(body.decode("utf-8"))))
            if not rows or not any(column in rows[0] for column in _COLUMNS):
                raise ValueError(
                    "You need to provide the correct CSV with Header columns to use it with the inference toolkit "
                    "default handler."
                )
            return {"inputs": [row["inputs"] for row in rows] if "inputs" in rows[0] else rows}
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ones
        raise RequestError(400, f"Unable to decode the payload as {media}: {error}") from error
    raise RequestError(415, encoding.unsupported(content_type))


def predict(data: Any, model: Any) -> Any:
    """What the pipeline makes of the inputs, with the parameters of the request."""
    if not isinstance(data, dict):
        return model(data)
    parameters = data.get("parameters") or {}
    inputs = data["inputs"] if "inputs" in data else {key: data[key] for key in data if key != "parameters"}
    return model(inputs, **parameters)


def write(prediction: Any, accept: str) -> tuple[bytes, str]:
    """A prediction as JSON, or a list of records as CSV with a header. Raises ``RequestError`` 406."""
    media = content_types.media_type(accept)
    if media == content_types.CSV:
        records = prediction if isinstance(prediction, list) else [prediction]
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(records[0]) if records else [])
        writer.writeheader()
        writer.writerows(records)
        return stream.getvalue().encode(), media
    if media == content_types.JSON:
        text = json.dumps(prediction, ensure_ascii=False, default=_plain, separators=(",", ":"))
        return text.encode(), media
    return encoding.encode(prediction, accept)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
