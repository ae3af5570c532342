"""The simulated world: two houses, and everything that can go wrong between and beneath them, from one seed.

    python -m tests.simulation --seed 7 --steps 2000

Rules of this package:

- One ``random.Random(seed)`` decides everything: what people do, how far it gets, what the disks, clocks and network
  make of it. Time is virtual; nothing sleeps. A seed and a commit reproduce a run, step by step (``--trace``).
- The houses are the real ones. Simulated are the things behind ports, and the road between the houses.
- A fault may refuse any act; that is no failure. A failure is an error that is not one of ours, or an invariant that
  does not hold. The invariants are in ``spec/invariants.md``; each is one function that carries its number.
- Invariants look at evidence gathered outside the houses (``witness.py``): what left them, what they acknowledged, what
  their disks hold. They never ask the house whether it is well, except where its answer is what they judge.
- Each seed also draws how stormy its world is (``weather.py``), so that some worlds see one kind of fault, many times.
"""
