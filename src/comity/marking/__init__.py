"""Labels, and how they read to people.

Rules of this room (``spec/marking.md``):

- It is pure, and stands on ``agreement`` alone: which marks there are and which correspond is the agreement's word.
- A label is never rewritten. What another party writes stands beside it.
- Where there is a choice a person makes it; where there is no equivalent the answer is a refusal with its clause.
"""
