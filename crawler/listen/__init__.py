"""One small TLS and HTTP/1.1 server on trio and h11: for the practice federation, our key document, the watch's health.

- `message`  a request as it came in, the answer to it, the bounds of a conversation
- `http`     the server: accepts, reads within bounds, asks a handler, writes, shuts down gracefully
- `keys`     the handler that makes us a citizen of the federation: key document, version, who we are
"""
