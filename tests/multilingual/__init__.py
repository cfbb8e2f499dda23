"""A model that knows English, German and French, made here: no package index has one, and tests reach no model hub."""
