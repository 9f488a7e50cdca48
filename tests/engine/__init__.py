"""Tests of crawler.engine."""
