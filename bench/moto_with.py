"""Run by moto's own Python: its server, after the model packages whose Create requests stand on standard input.

    python -P moto_with.py PORT < requests

There is one request a line, as JSON. To make 100,000 by HTTP takes moto ten minutes; this is what its server calls.
"""

import inspect
import json
import re
import sys

from moto.sagemaker.models import sagemaker_backends
from moto.server import main

backend = sagemaker_backends["123456789012"]["us-east-1"]
nothing = dict.fromkeys(inspect.signature(backend.create_model_package).parameters)
for line in sys.stdin:
    given = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in json.loads(line).items()}
    backend.create_model_package(**{**nothing, **given})
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
