"""Authorities, laws, disputes and deposits: what records say about it (Articles 2(d), 3, 20)."""
