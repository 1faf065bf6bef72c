import pytest
from pydantic import SecretStr

from medai.errors import RecordingError, SettingsError
from medai.integrations.recordings.addresses import (
    AllowedHosts,
    Resolver,
    checked_addresses,
    is_public,
    port_of,
)
from medai.integrations.recordings.options import FetchOptions, proxy_address
from medai.settings import Settings

PUBLIC = ["93.184.216.34", "2a02:6b8::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe", "::127.0.0.1",
    "2001:db8::1", "fec0::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_everything_else_is_refused(address: str) -> None:
    assert not is_public(address)


def answering(*addresses: str) -> Resolver:
    async def resolver(host: str, port: int) -> tuple[str, ...]:
        return addresses

    return resolver


async def test_one_inner_address_among_public_ones_spoils_the_name() -> None:
    with pytest.raises(RecordingError) as caught:
        await checked_addresses(
            "records.example", 80, allowed=AllowedHosts(()),
            resolver=answering("93.184.216.34", "10.0.0.1"),
        )  # fmt: skip
    assert caught.value.final


@pytest.mark.parametrize(
    ("entry", "host", "port", "excused"),
    [
        ("pbx.local", "pbx.local", 8080, True),
        ("PBX.local:8080", "pbx.local", 8080, True),
        ("pbx.local:8080", "pbx.local", 80, False),
        ("pbx.local", "evil-pbx.local", 80, False),
        ("pbx.local", "pbx.local.evil.example", 80, False),
        ("[::1]:9000", "::1", 9000, True),
        ("127.0.0.1:9000", "127.0.0.1", 9000, True),
    ],
)
async def test_only_listed_hosts_are_excused(
    entry: str, host: str, port: int, excused: bool
) -> None:
    assert ((host, port) in AllowedHosts([entry])) is excused


def test_ports_follow_the_scheme() -> None:
    assert (port_of("http", None), port_of("https", None), port_of("http", 81)) == (80, 443, 81)


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


def test_proxy_string_is_socks_with_quoted_login() -> None:
    found = proxy_address(settings(proxy_string=SecretStr("proxy.example:1080:us:p@:ss")))
    assert found is not None
    assert found.get_secret_value() == "socks5://us:p%40%3Ass@proxy.example:1080"
    assert "p%40" not in repr(found)


def test_the_proxy_group_needs_to_be_enabled() -> None:
    group = {"proxy_host": "proxy.example", "proxy_port": 3128, "proxy_type": "http"}
    assert proxy_address(settings(**group)) is None
    found = proxy_address(settings(**group, proxy_enabled=True))
    assert found is not None
    assert found.get_secret_value() == "http://proxy.example:3128"


@pytest.mark.parametrize("text", ["proxy.example", "proxy.example:x", "h:1:user", ":1:u:p"])
def test_a_malformed_proxy_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="PROXY_STRING"):
        proxy_address(settings(proxy_string=SecretStr(text)))


def test_proxy_hosts_match_on_label_borders() -> None:
    options = FetchOptions(proxy=SecretStr("socks5://p:1"), proxy_hosts=("media.comagic.ru",))
    assert options.proxied("media.comagic.ru")
    assert options.proxied("a.media.comagic.ru")
    assert not options.proxied("evilmedia.comagic.ru")
    assert not FetchOptions(proxy_hosts=("media.comagic.ru",)).proxied("media.comagic.ru")


def test_options_come_from_the_settings() -> None:
    options = FetchOptions.from_settings(
        settings(recordings_allow_hosts="a.example:81, B.example", recordings_max_megabytes=2)
    )
    assert options.allow_hosts == ("a.example:81", "b.example")
    assert options.max_bytes == 2 * 1024 * 1024
    assert options.proxy_hosts == ("api.cloudpbx.rt.ru", "media.comagic.ru")
