"""What becomes of bodies that are not new any more: compressed, moved into blocks, dropped."""
