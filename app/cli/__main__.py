"""Run the command line as `python -m app.cli`, which needs no script on the PATH."""

from app.cli import main

main()
