"""What the originator allows others to do: asked, granted, and acted on."""
