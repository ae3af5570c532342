"""People and places: clearances, lists, sites, visits."""
