"""A batch's workers as actors on a Ray cluster."""
