"""Endpoint configurations and real-time endpoints."""
