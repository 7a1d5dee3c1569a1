#!/usr/bin/env python3
"""Set up what the demo and the tests need on a machine without ROS: a virtual environment and built interfaces.

    python3 tools/bootstrap.py [--with test] [--with dev]     set up, or say within a second that all is done
    python3 tools/bootstrap.py needs                          print the Python requirements this interpreter lacks

This file, installer/console.py and installer/interpreter.py stay readable for Pythons older than those supported:
it is they who must say that they are too old.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

from installer import console, interpreter  # noqa: E402 - the path comes first


def main(arguments):
    """Run the command line; the exit status."""
    try:
        if arguments[:1] != ["needs"]:
            interpreter.ensure_supported(os.path.abspath(__file__), ROOT, arguments)
        from installer import command

        return command.run(ROOT, arguments)
    except console.SetupError as error:
        console.say(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.say("\nset-up interrupted; the next run goes on safely", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
