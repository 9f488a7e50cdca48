"""The served dashboard in a real browser, from a published file to the pixel."""
