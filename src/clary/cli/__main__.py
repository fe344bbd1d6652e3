"""``python -m clary.cli``: the command line where no ``clary`` script is on the path."""

from clary.cli.main import main

main()
