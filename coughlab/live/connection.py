"""The connection to a browser's microphone: where browsers allow it, and the STUN and TURN servers."""

import ipaddress
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from coughlab.config import SettingError

#: Setting and secret with the servers, and the expected format.
SETTING = "COUGHLAB_ICE_SERVERS"
EXAMPLE = '[{"urls": "turn:turn.example.org:3478", "username": "name", "credential": "password"}]'
#: Default outside the local network: reports their public address to both sides; no sound passes through it.
PUBLIC = [{"urls": ["stun:stun.l.google.com:19302"]}]
SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


def trusted(url: str) -> bool:
    """Whether browsers allow a page at this address the microphone: over https, or on this computer."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def local(url: str) -> bool:
    """Whether the address is on this computer or in its network, where no STUN or TURN server is needed."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local")):
        return True
    address = _address(host)
    return address is not None and (address.is_private or address.is_loopback or address.is_link_local)


def ice_servers(setting: str | Iterable | None, url: str) -> list[dict]:
    """The STUN and TURN servers to use: ``urls`` and, if needed, ``username`` and ``credential``.

    The setting is a JSON list, or the list itself; SettingError if it is invalid. The default is no server if the `url` of the
    page is on the local network, and a public STUN server elsewhere.
    """
    if setting is None or setting == "":
        return [] if local(url) else PUBLIC
    if isinstance(setting, str):
        try:
            setting = json.loads(setting)
        except ValueError as error:
            raise _wrong(f"it is no JSON ({error})") from None
    if isinstance(setting, str | bytes | dict) or not hasattr(setting, "__iter__"):
        raise _wrong("it is no list")
    return [_server(number, entry) for number, entry in enumerate(setting, start=1)]


def _server(number, entry):
    which = f"entry {number}"
    if not hasattr(entry, "keys"):
        raise _wrong(f"{which} is no object")
    entry = {name: entry[name] for name in entry.keys()}  # noqa: SIM118  secrets are no plain dict
    if unknown := set(entry) - {"urls", "username", "credential"}:
        raise _wrong(f'{which} has "{min(unknown)}", which is unknown')
    urls = entry.get("urls")
    urls = [urls] if isinstance(urls, str) else list(urls or [])
    if not urls or not all(isinstance(url, str) and url.startswith(SCHEMES) for url in urls):
        raise _wrong(f'{which} needs "urls" that begin with {", ".join(SCHEMES)}')
    texts = [entry.get(name) for name in ("username", "credential")]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise _wrong(f'"username" and "credential" of {which} must be texts')
    if any(url.startswith("turn") for url in urls) and not all(texts):
        raise _wrong(f'{which} is a TURN server and needs "username" and "credential"')
    return entry | {"urls": urls}


def _wrong(why):
    return SettingError(f"The setting {SETTING} cannot be used: {why}. Expected is a list such as {EXAMPLE}.")


def _address(host):
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
