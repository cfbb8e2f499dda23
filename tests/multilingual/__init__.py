"""A model that knows English, German and French, made here: no package index was found to have one."""
