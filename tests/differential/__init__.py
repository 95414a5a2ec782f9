"""The real tritonserver as judge over model configurations, and the cases that it judges."""
