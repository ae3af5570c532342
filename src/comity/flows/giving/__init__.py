"""Giving, being answered, and opening: how an item comes to its reader."""
