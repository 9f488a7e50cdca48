"""Analytics against numbers worked out by hand."""
