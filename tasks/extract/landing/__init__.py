"""The landing zone: raw pages as the API sent them, to resume an extraction from and to replay it."""
