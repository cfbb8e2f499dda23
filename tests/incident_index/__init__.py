"""The index over the records of the desk."""
