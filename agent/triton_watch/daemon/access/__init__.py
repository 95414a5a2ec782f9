"""Who may read the agent's pages, and over what: the web configuration file at work."""
