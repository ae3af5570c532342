"""Flows: the only place that joins the core to the ports; one file per thing a user does.

Rules of this room:

- A flow reads the clock once, asks the store, lets the pure rooms decide, and hands one change to the sequencer.
- Everything that is recorded goes through the sequencer; nothing signed leaves before its commit returned.
- A flow takes an authenticated actor. It names no adapter: ports only.

Its own rooms, from the ground up; each knows those above it in this list, and none of one line knows another of it::

    keeping                            the books: the only writer, what it works on, the library of texts
    exchanging                         what crosses between two houses, and how it is taken up
    house                              one party's core, joined to the world; every flow takes one
    deciding, speaking, pouch          who may do and see what; what is said in one record; the exchange as a file
    giving                             how an item comes to its reader
    deriving, handling, consenting     what is made from it, its copies, what its originator allows
    looking, incidents, maintaining    what people look at; loss and compromise; the journal stepped again
    people                             people, sites and visits
    agreeing, ending                   what parties are to each other; how protection changes and ends
    following, table                   what a record of the other party sets in motion; every flow by its name
"""
