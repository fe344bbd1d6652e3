"""AWS protocols on the server side, driven by the service models that ship with botocore."""
