"""The console: the agreement at work, in a browser.

Rules of this room:

- A page asks flows, as the command line does; it reads no rows and decides nothing. Where a flow is missing, the flow
  is added, not a way around it.
- Every page works without a script. The scripts there are make it quicker to use; the node serves them itself.
- Words go through gettext, in the reader's language. Marks, names and titles are shown as they were given.
- What somebody may not see is not there: not in a count, not in a cursor, not in an error.
"""
