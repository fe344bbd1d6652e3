"""Repositories of images."""
