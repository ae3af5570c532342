"""Third parties that vouch for this house's ledgers: who they are, what they cosigned, and what counts."""
