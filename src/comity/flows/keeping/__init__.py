"""How a house keeps its books: the only writer, what it works on, and what the journal gives again."""
