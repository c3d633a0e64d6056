"""Slow, obvious twins of the kernels. They import nothing of canal_fast."""
