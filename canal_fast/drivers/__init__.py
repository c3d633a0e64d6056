"""CANAL driver libraries that come with canal_fast; plain shared libraries that any CANAL program can load."""
