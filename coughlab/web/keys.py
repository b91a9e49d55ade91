"""Keys to the API: who may use it, and how often. Only their hashes are stored.

A key is 32 random bytes, so that it can be neither guessed nor recovered from a plain SHA-256: a slow password hash is not needed
here.
"""

import hashlib
import hmac
import math
import re
import secrets
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from coughlab import config

#: The prefix of every key, so that a leaked key is recognised.
PREFIX = "coughlab_"
#: Loopback addresses.
LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Headers that show a proxy. Its requests come from this machine, but its clients may be anywhere.
PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_BEARER = re.compile(r"Bearer +([\x21-\x7e]+) *", re.IGNORECASE)


class AccessError(ValueError):
    """A request without a known key; the message says what to do."""


class RateError(ValueError):
    """A key was used too often; it may be used again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        seconds = "a second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(f"This key has made as many requests as it may for now. Try again in {seconds}.")
        self.retry_after = retry_after


class SecretsError(ValueError):
    """The secrets are invalid; the message says why."""


def new() -> tuple[str, str]:
    """Make a key: the key for its holder, and the hash to store."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, _hashed(key)


def _hashed(key: str) -> str:
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


class Keys:
    """The known keys, and whether a request with given headers needs one (`needed`). Thread-safe.

    `known` has for each holder the hash of the key as `new` makes it, or ``{"hash": ..., "per_minute": ...}``; SecretsError if it
    is invalid.
    """

    def __init__(self, known: Mapping, needed: Callable[[Mapping], bool] = lambda headers: True) -> None:
        self._needed = needed
        if not isinstance(known, Mapping):
            raise SecretsError(
                'The secrets\' [api_keys] must be a table of lines such as name = "sha256:...".'
            )
        self._holders = [_Holder(name, entry) for name, entry in known.items()]

    def admit(self, headers: Mapping[str, str]) -> None:
        """Accept a request if its header ``Authorization`` has ``Bearer`` and a known key, or if it needs none.

        AccessError if a required key is missing or unknown; RateError if it was used too often.
        """
        authorization = headers.get("Authorization")
        if authorization is None:
            if self._needed(headers):
                raise AccessError(
                    "This address wants a key. Send it in the header 'Authorization: Bearer <key>'; who runs this server gives"
                    " them out."
                )
            return
        given = _BEARER.fullmatch(authorization)
        hashed = _hashed(given[1]).encode() if given else b""
        # All keys are compared in constant time, so that the duration reveals nothing.
        found = [holder for holder in self._holders if hmac.compare_digest(holder.hashed, hashed)]
        if not found:
            raise AccessError(
                "This key is not known here. Send one in the header 'Authorization: Bearer <key>' as it was given out."
            )
        found[0].use()


class _Holder:
    """A key and its rate limit: a burst of up to the limit per minute, then evenly spaced requests.

    The stored time is when the full burst would be available again: the generic cell rate algorithm (ITU-T I.371).
    """

    def __init__(self, name: str, entry: str | Mapping) -> None:
        entry = {"hash": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, Mapping) or not _HASH.fullmatch(str(entry.get("hash", ""))):
            raise SecretsError(
                f"The secrets' key of {str(name)!r} must be 'sha256:' and 64 digits, as 'coughlab key' prints it."
            )
        rate = entry.get("per_minute", config.value("COUGHLAB_RATE"))
        if type(rate) is not int or rate < 1:
            raise SecretsError(f"The secrets' per_minute of {str(name)!r} must be a whole number from 1 on.")
        self.hashed = entry["hash"].encode()
        self._step_s, self._restored_s, self._lock = 60 / rate, 0.0, threading.Lock()

    def use(self) -> None:
        now = time.monotonic()
        with self._lock:
            again = max(self._restored_s, now) + self._step_s
            if again - now > 60:
                raise RateError(math.ceil(again - now - 60))
            self._restored_s = again


def at_this_machine(address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a request can only come from the machine that answers it, which listens at `address` (None: all addresses).

    False also if a proxy has forwarded the request, or if the browser shows another site. `headers` is case-insensitive.
    """
    if address not in LOOPBACK or any(name in headers for name in PROXIES):
        return False
    # If a proxy does not identify itself, the address in the browser shows it.
    here = f"//{LOOPBACK[0]}"
    named = f"//{headers['Host']}" if "Host" in headers else here, headers.get("Origin", here)
    return all(_host(one) in LOOPBACK for one in named)


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # not an address at all
        return None


def read(path: Path) -> dict:
    """The secrets in a TOML file; empty if there is no such file, SecretsError if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SecretsError(f"The secrets in {path} cannot be read: {error}.") from error


def from_secrets(secrets: Mapping, address: str | None) -> Keys:
    """The keys under ``api_keys`` in an app's secrets; COUGHLAB_API_KEYS and `address` (None: all) decide if they are needed.

    SecretsError or SettingError if the secrets or a setting are invalid.
    """
    needed = {
        "off": lambda headers: False,
        "required": lambda headers: True,
        "auto": lambda headers: not at_this_machine(address, headers),
    }[config.value("COUGHLAB_API_KEYS")]
    return Keys(secrets.get("api_keys", {}), needed)


#: For an API without keys: accepts every request.
OPEN = Keys({}, lambda headers: False)
