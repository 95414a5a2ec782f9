"""Files for other programs, made from the configuration and from what the package defines.

alerts    Prometheus rules and a configuration of Alertmanager
runbooks  the runbooks as pages of the repository
write     YAML as people read it; writing a file, or saying how it differs
"""
