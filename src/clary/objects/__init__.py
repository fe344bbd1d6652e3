"""The object store: immutable blobs on disk with an index."""
