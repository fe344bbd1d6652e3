"""Artifacts, actions, contexts and the associations between them."""
