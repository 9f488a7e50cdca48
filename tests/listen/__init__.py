"""Tests of crawler.listen: real sockets, hostile peers."""
