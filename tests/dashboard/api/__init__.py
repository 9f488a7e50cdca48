"""The API, mostly on a served application over sockets."""
