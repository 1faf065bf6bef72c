"""What every HTTP client of ours does, whatever the environment says."""

import httpx2
import pytest

from medai.infra.http import USER_AGENT, open_client


async def test_client_names_itself_takes_gzip_and_follows_no_redirect() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["User-Agent"] == USER_AGENT
        assert "gzip" in request.headers["Accept-Encoding"]
        return httpx2.Response(302, headers={"Location": "http://elsewhere.test/"})

    async with open_client(transport=httpx2.MockTransport(handler)) as http:
        assert (await http.get("http://crm.test/")).status_code == 302
        assert http.timeout == httpx2.Timeout(30.0, connect=10.0)


async def test_loopback_is_reached_past_the_environments_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with open_client() as http:
        direct = http._transport
        for host in ("127.0.0.1:8900", "localhost", "[::1]:1"):
            assert http._transport_for_url(httpx2.URL(f"http://{host}/")) is direct
        assert http._transport_for_url(httpx2.URL("http://crm.test/")) is not direct
