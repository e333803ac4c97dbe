"""`python -m autonomous_loop`."""

from autonomous_loop.commands.cli import main

main(prog_name="autonomous-loop")
