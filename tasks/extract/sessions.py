"""A session that leaves redirects to its user."""

from typing import Any

import requests
from requests.cookies import extract_cookies_to_jar


class DirectSession(requests.Session):
    """Sends one request and returns its answer, a redirect as well, the body not yet read.

    `requests` reads the body of a redirect even where it is not to be followed, to the end, whatever its
    size and however slowly it comes.
    """

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        """The answer, its cookies kept.

        Args:
            request: What to send.
            settings: `timeout`, `verify`, `cert` and `proxies`, as of `requests.adapters.HTTPAdapter.send`.

        Raises:
            requests.RequestException: There was no answer.
        """
        settings |= {"stream": True}
        settings.pop("allow_redirects", None)
        response = self.get_adapter(url=request.url or "").send(request, **settings)
        if "Set-Cookie" in response.headers:
            extract_cookies_to_jar(self.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        return response
