"""Run dieindex from a checkout: ``python cli.py build data/``."""

from dieindex.commands.main import main

if __name__ == "__main__":
    main()
