"""What tests of several parts share: servers on real sockets."""
