"""What the content of a model card may be.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html#model-cards-json-schema
"""

from __future__ import annotations

import json

from clary.core.errors import ValidationException

SECTIONS = (
    "model_overview",
    "model_package_details",
    "intended_uses",
    "business_details",
    "training_details",
    "evaluation_details",
    "additional_information",
)
"""Its members, in the order of the schema."""


def check(text: str) -> None:
    """Raise ``ValidationException`` for a content that is none."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValidationException(f"Model card content is not valid JSON: {error}") from None
    except RecursionError:
        raise ValidationException("Model card content is nested too deeply.") from None
    if not isinstance(content, dict):
        raise ValidationException("Model card content must be a JSON object.")
    if unknown := sorted(set(content) - set(SECTIONS)):
        raise ValidationException(
            f"Model card content does not fit its schema: extraneous key [{unknown[0]}] is not permitted"
        )
    for section, value in content.items():
        if section != "evaluation_details" and not isinstance(value, dict):
            raise ValidationException(f"Model card content does not fit its schema: {section} must be an object")
    if not isinstance(content.get("evaluation_details", []), list):
        raise ValidationException("Model card content does not fit its schema: evaluation_details must be an array")
