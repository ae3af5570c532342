"""How protection changes and ends: levels, recalls, returns, destruction."""
