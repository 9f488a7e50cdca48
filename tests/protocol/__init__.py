"""Tests of crawler.protocol."""
