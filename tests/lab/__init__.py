"""Tests of the practice federation: real DNS, TLS and HTTP, and the truth about it."""
