"""The Prefect server's REST API, as far as these tests look at it."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry


class Api:
    """Calls it; an answer that is an error raises."""

    def __init__(self, url: str) -> None:
        self.url = url
        # SQLite, under the server, locks when much happens at once; it says so with 503.
        patience = Retry(total=6, backoff_factor=0.3, status_forcelist=[503], allowed_methods=None)
        self._adapter = HTTPAdapter(max_retries=patience)

    def call(self, method: str, path: str, **json: Any) -> Any:
        with requests.Session() as session:
            session.mount("http://", self._adapter)
            response = session.request(method, f"{self.url}/{path}", json=json, timeout=10)
        response.raise_for_status()
        return response.json() if response.content else None

    def find(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("POST", f"{kind}/filter")
        return found

    def automations(self) -> list[dict[str, Any]]:
        return sorted((a for a in self.find("automations") if "assay" in a["tags"]), key=lambda a: a["name"])

    def blocks(self) -> list[str]:
        return sorted(b["name"] for b in self.find("block_documents") if b["name"].startswith("assay"))

    def pause_schedules(self) -> None:
        """Let no deployment run by the clock, which might strike in the middle of a test."""
        for deployment in self.find("deployments"):
            self.call("POST", f"deployments/{deployment['id']}/pause_deployment")

    def clear(self) -> None:
        """Remove what apply.py and `prefect deploy --all` make: other tests use the same server."""
        for automation in self.automations():
            self.call("DELETE", f"automations/{automation['id']}")
        for block in self.find("block_documents"):
            if block["name"].startswith("assay"):
                self.call("DELETE", f"block_documents/{block['id']}")
        for pool in self.find("work_pools"):
            if pool["name"] == "assay":
                self.call("DELETE", "work_pools/assay")
        for deployment in self.find("deployments"):
            if "assay" in deployment["tags"]:
                self.call("DELETE", f"deployments/{deployment['id']}")
