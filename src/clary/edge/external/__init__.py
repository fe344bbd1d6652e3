"""An S3 server elsewhere in place of the platform's own store: asked for every request, with keys of the platform."""
