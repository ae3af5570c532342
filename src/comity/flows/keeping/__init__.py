"""How a house keeps its books: the only writer, what it works on, and the texts it goes by."""
