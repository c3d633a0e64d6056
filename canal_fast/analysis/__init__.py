"""What recordings say: statistics over arrays of frames."""
