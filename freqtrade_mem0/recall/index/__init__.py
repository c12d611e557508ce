"""An exact index over trades, as of any moment."""
