"""pcapng recordings for `can.Logger` and `can.LogReader`."""
