"""What an agreement says, told to people: as a readable text, as parameters, as the difference between two.

A pure room over ``agreement``. A text is composed once, as blocks, in the reader's language (``document.py``), and
written in three ways: ``markdown.py``, ``page.py`` (HTML), ``typeset.py`` (Typst, for PDF). Nothing here decides.
``spec/explanation.md`` has the steps.
"""
