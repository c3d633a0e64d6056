"""What the line of each command may hold: each module has `add_parser(subparsers)`.

Nothing here needs numpy, so that --help, wrong usage and completion are quick.
"""
