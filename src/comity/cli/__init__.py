"""The command line: one file per group of verbs, one file (``output``) for everything that is printed.

Rules of this room (``spec/command-line.md``):

- A command builds the request of a flow and calls it by name; it decides nothing. ``session`` finds the running node or
  opens the folder itself, so that nobody needs to know which.
- One document on standard output, human or JSON; errors on standard error, one sentence with its place and a hint.
- Nothing the other party wrote reaches the terminal raw.
- Modules are imported when their verb is used: ``comity --help`` loads none of the slow libraries.
"""
