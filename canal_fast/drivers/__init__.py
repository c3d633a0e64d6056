"""CANAL driver libraries: finding and loading them, what is known of them, adapters; two come with canal_fast."""
