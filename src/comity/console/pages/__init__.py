"""The pages, a module for each group; each says its routes in ``ROUTES``."""
