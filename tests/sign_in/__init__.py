"""Signing in to the pages."""
