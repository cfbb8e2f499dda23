"""Bytes of any file of a data folder flip, at rest or beneath a running service.

What is derived is made anew and answers as a fresh index does, or nothing has changed; the record is refused, with what
to do, and left as it is. Never is something answered that is not so.
"""
