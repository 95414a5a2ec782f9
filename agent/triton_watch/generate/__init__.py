"""Files for other programs, made from the configuration and from what the package defines.

files         which files each kind of output has
rules         Prometheus rules, over what the agents export or over Triton's own metrics
alerts        a configuration of Alertmanager
dashboards    Grafana's boards; `provisioning` is what Grafana reads at its start
kubernetes    the rules and boards as objects
queries       PromQL over Triton's own metrics
pages         the runbooks as pages of the repository; `recorded_docs` the page of recorded series
write         YAML as people read it; writing a file, or saying how it differs
"""
