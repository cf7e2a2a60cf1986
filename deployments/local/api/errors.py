"""A request that cannot be answered."""


class ApiError(Exception):
    """Becomes an answer with this status and `{"error": {"status": …, "message": …}}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
