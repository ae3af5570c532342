"""A new agreement file from a template: what is asked, how the answers read, and the draft that follows from them.

A pure room over ``agreement`` and ``explanation``. Whatever answers it takes, the draft passes ``comity agreement
check``. ``spec/drafting.md`` has the steps.
"""
