"""``python -m beamforge``: the command line where its script is not on the path."""

from beamforge.cli import main

if __name__ == "__main__":
    main()
