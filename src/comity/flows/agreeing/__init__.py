"""What parties are to each other: founding, agreements, notes, authorities, laws, disputes, deposits, costs."""
