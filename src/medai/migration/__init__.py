"""A restored dump of the replaced system (contract 2) becomes the documents this one keeps."""
