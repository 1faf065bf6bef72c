"""A strict simulator of one amoCRM installation: API v4 and OAuth2 of several accounts."""
