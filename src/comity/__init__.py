"""Run an information-security agreement between parties who do not fully trust one another."""
