"""Measurements against named peers, in one run on one machine (``make bench``).

Rules of this package:

- A benchmark is a module here with ``run(quick: bool) -> list[dict]``. Its docstring's first paragraph says how it
  measures; it is printed with the results. ``quick`` shrinks the work, never the method.
- Ours and the peer's do the same work, checked to give the same answers, alternating within one run. What is claimed
  is the ratio; an absolute figure is context, for it depends on the machine and on what else the machine is doing.
- Each dict has the keys of ``report.Row``:

  ==============  ====================================================================================================
  ``name``        what is measured, such as ``"decisions per second, 100 clauses"``
  ``ours``        our figure
  ``peer``        the peer's figure in the same unit, None where nothing comparable exists
  ``peer_name``   program and version of the peer, or what the figure is compared with (``"ours at 10 clauses"``)
  ``unit``        unit of both figures, such as ``"1/s"``, ``"ms"``, ``"MiB"``
  ``ratio``       how many times better ours is (or the growth, for an aim that limits one); None without a peer
  ``aim``         None, a number (the ratio is to be at least that), or ``"at most 1.2"`` / ``"at least 5"`` for the
                  ratio, or with the unit, ``"at most 20 ms"``, for our own figure
  ==============  ====================================================================================================
"""
