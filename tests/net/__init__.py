"""Real sockets: a real DNS server, real TLS peers on 127.0.0.0/8, certificates made for the test."""
