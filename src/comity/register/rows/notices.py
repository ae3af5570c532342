"""Authorities, laws, disputes and deposits: the rows about it (Articles 2(d), 3, 20)."""
