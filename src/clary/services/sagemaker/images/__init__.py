"""Images that users bring to Studio."""
