"""Inference requests to a Triton over gRPC or HTTP, each under one deadline. No gRPC is imported before its client."""
