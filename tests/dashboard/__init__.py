"""The dashboard's parts, and the application over ASGI."""
