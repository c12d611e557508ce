"""The query language: `strategy:MyStrategy AND profit:>10.0`, read into a filter and free words."""
