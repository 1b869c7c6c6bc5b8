"""``python -m dieindex``: the command line."""

from dieindex.commands.main import main

if __name__ == "__main__":
    main()
