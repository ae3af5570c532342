"""Backups: what a data folder holds, kept elsewhere by digest, and brought back (``spec/backup.md``)."""
