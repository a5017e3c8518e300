"""Finished files looked at again: whether they are what their manifests say, and how they were made."""
