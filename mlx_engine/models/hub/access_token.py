"""The access token for the Hub. Facet keeps it in the system's keychain and nowhere else, and never writes it down.

A token from elsewhere is used but not kept: HF_TOKEN goes first, and if Facet has none, the one of `hf auth login`.
Only job processes import this module.
"""

import logging
import os
from urllib.parse import urlsplit

import keyring
from huggingface_hub import constants, get_token
from keyring.errors import KeyringError, PasswordDeleteError

from mlx_engine.errors import StorageError
from mlx_engine.hub_messages import TokenSource

_service = "Facet"
_variables = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_log = logging.getLogger(__name__)


def current() -> tuple[str, TokenSource]:
    """Return the token to use and where it comes from; both are "" if there is none."""
    for name in _variables:
        if token := os.environ.get(name, "").strip():
            return token, "environment"
    if token := _kept():
        return token, "keychain"
    token = get_token() or ""
    return token, "huggingface" if token else ""


def store(token: str) -> None:
    """Keep the token in the keychain.

    Raises:
        StorageError: there is no keychain, or it refuses.
    """
    try:
        keyring.set_password(_service, _account(), token)
    except KeyringError as error:
        raise StorageError(
            "This system has no keychain that Facet may use, so the access token was not kept. Set HF_TOKEN instead."
        ) from error


def remove() -> None:
    """Take the token out of the keychain; nothing happens if none is there.

    Raises:
        StorageError: the keychain refuses.
    """
    try:
        if _kept():
            keyring.delete_password(_service, _account())
    except PasswordDeleteError:
        return
    except KeyringError as error:
        raise StorageError("The keychain refuses to remove the access token: remove it there by hand.") from error


def _kept() -> str:
    try:
        return keyring.get_password(_service, _account()) or ""
    except KeyringError as error:
        _log.info("No keychain: %s", type(error).__name__)
        return ""


def _account() -> str:
    """Return the name under which the token is kept: one for each Hub, so that a mirror never gets another's."""
    return urlsplit(constants.ENDPOINT).netloc
