"""`python -m affectgen`: the same as the command `affectgen`."""

from affectgen.cli.main import main

if __name__ == "__main__":
    main()
