"""Tests: mirrors the packages. Real sockets and real servers before mocks; see CONTRIBUTING.md."""
