"""The process that thinks: handlers, reconcilers, supervision."""
