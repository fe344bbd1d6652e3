"""The process that listens: request path, object store, inference data plane."""
