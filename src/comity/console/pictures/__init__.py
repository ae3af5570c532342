"""Pictures: data in, markup out; nothing here knows a house, a clock or a language.

Rules of this room (``spec/pictures.md``):

- What is drawn is data of the picture's own types, and every word comes in as an argument, already in the reader's
  language. The same data give the same bytes.
- A picture has a title and a description that a screen reader says, and beside it a table that tells the same.
- There is no colour and no style here: elements have classes, and the page's style sheet colours them for a dark
  screen, a bright one and paper. What a colour says, a word or a shape says too.
- Text is measured before it stands anywhere, in three scripts, so that no two words overlap; what is cut stands whole
  in the title of its element and in the table.
- A picture is readable on 320 pixels: either all its places are shares of the width, or it is no wider than that.
"""
