"""Channels: drivers drained natively, frames and what is known of the channel handed to Python."""
