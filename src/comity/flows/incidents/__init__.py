"""Loss and compromise: reported, investigated, closed."""
