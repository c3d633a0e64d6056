"""The subcommands of `canal-fast`: `parsers.NAME` has what the line of each may hold, `NAME.run(args)` does it."""
