"""Finding: pages of the register, and what waits today; looked up in the index, shown from the register."""
