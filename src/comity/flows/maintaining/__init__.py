"""What keeps a house whole: the journal stepped again, tables made anew from it, and orphans removed."""
