"""What a page shows, made once for each choice of a reader."""
