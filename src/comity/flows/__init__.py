"""Flows: the only place that joins the core to the ports; one file per thing a user does.

Rules of this room:

- A flow reads the clock once, asks the store, lets the pure rooms decide, and hands one change to the sequencer.
- Everything that is recorded goes through the sequencer; nothing signed leaves before its commit returned.
- A flow takes an authenticated actor. It names no adapter: ports only.
"""
