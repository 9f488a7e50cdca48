"""What is not crawled: usage reports, developers, the specification."""
