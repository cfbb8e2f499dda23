"""Services of one desk are kept apart: what is of others is as if it were not there, and who changed what is noted."""
