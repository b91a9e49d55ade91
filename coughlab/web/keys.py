"""Keys to the API: who may ask, and how often. Only their hashes are kept.

A key is 32 random bytes, so none can be guessed, and a plain SHA-256 of it cannot be turned back: what makes hashes of
passwords slow is of no use here.
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

#: What every key begins with, so that one that was left somewhere is recognised.
PREFIX = "coughlab_"
#: Addresses that only this machine reaches.
LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Headers by which a proxy is known. It speaks from this machine for visitors from anywhere.
PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_BEARER = re.compile(r"Bearer +([\x21-\x7e]+) *", re.IGNORECASE)


class AccessError(ValueError):
    """A request without a key that is known here; the message says what to do."""


class RateError(ValueError):
    """A key was used too often; it may be used again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        seconds = "a second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(f"This key has made as many requests as it may for now. Try again in {seconds}.")
        self.retry_after = retry_after


class SecretsError(ValueError):
    """The secrets hold something else than keys; the message says what."""


def new() -> tuple[str, str]:
    """Make a key: what its holder is given, and the hash, which is kept."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, _hashed(key)


def _hashed(key: str) -> str:
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


class Keys:
    """The keys that are known, and whether a request with some headers is `needed` to have one. May be shared between threads.

    `known` has for each holder the hash of the key as `new` makes it, or ``{"hash": ..., "per_minute": ...}``; SecretsError if it
    holds something else.
    """

    def __init__(self, known: Mapping, needed: Callable[[Mapping], bool] = lambda headers: True) -> None:
        self._needed = needed
        if not isinstance(known, Mapping):
            raise SecretsError(
                'The secrets\' [api_keys] must be a table of lines such as name = "sha256:...".'
            )
        self._holders = [_Holder(name, entry) for name, entry in known.items()]

    def admit(self, headers: Mapping[str, str]) -> None:
        """Let a request in if its header ``Authorization`` holds ``Bearer`` and a key, or if it needs none.

        AccessError if a key is required and there is none, or one that is not known; RateError if it was used too often.
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
        # All are compared, in constant time, so that how long it takes tells nothing.
        found = [holder for holder in self._holders if hmac.compare_digest(holder.hashed, hashed)]
        if not found:
            raise AccessError(
                "This key is not known here. Send one in the header 'Authorization: Bearer <key>' as it was given out."
            )
        found[0].use()


class _Holder:
    """A key and how often it may be used: at most so many requests at once, then evenly over each minute.

    Kept is the time at which all that was used would be there again: the generic cell rate algorithm (ITU-T I.371).
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
    """Whether a request can only have come from the machine that answers it, which listens at `address` (None: at all).

    False also where a proxy has passed the request on, and where the browser shows another site. `headers` finds names in
    capital and small letters alike.
    """
    if address not in LOOPBACK or any(name in headers for name in PROXIES):
        return False
    # Where a proxy does not say that it is one, the address in the browser does.
    here = f"//{LOOPBACK[0]}"
    named = f"//{headers['Host']}" if "Host" in headers else here, headers.get("Origin", here)
    return all(_host(one) in LOOPBACK for one in named)


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # not an address at all
        return None


def read(path: Path) -> dict:
    """The secrets of a file in TOML, empty if there is no such file; SecretsError if there is one that cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SecretsError(f"The secrets in {path} cannot be read: {error}.") from error


def from_secrets(secrets: Mapping, address: str | None) -> Keys:
    """The keys under ``api_keys`` in an app's secrets, needed as COUGHLAB_API_KEYS says; it listens at `address` (None: at all).

    SecretsError or SettingError if the secrets or a setting hold something else.
    """
    needed = {
        "off": lambda headers: False,
        "required": lambda headers: True,
        "auto": lambda headers: not at_this_machine(address, headers),
    }[config.value("COUGHLAB_API_KEYS")]
    return Keys(secrets.get("api_keys", {}), needed)


#: For an API without keys: every request is let in.
OPEN = Keys({}, lambda headers: False)
