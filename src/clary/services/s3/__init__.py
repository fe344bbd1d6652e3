"""Amazon S3 over Clary's own object store; it runs in the edge."""

from .app import S3App
from .call import Authorize
from .http import S3Request, S3Response

__all__ = ["Authorize", "S3App", "S3Request", "S3Response"]
