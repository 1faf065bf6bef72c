"""Who may do what: keys of the API, and who has opened patients' words."""
