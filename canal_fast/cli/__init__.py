"""The subcommands of `canal-fast`: each module has `add_parser(subparsers)`, which sets `run(args) -> exit code`."""
