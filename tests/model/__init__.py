"""Tests of crawler.model."""
