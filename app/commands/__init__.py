"""One module for each subcommand of `softlens`; its `run` is the command.

The modules import only typer at the top. What a command needs is imported when it runs.
"""
