"""`python -m flows.cli`, where the command is not on the path."""

from flows.cli import main

if __name__ == "__main__":
    main()
