"""The access token for the Hub, stored only in the system's keychain.

Tokens from elsewhere are used but not stored: HF_TOKEN has priority over the keychain, and the token of `hf auth login`
comes last. Only job processes import this module.
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
    """Return the token to use and its source; both are "" if there is none."""
    for name in _variables:
        if token := os.environ.get(name, "").strip():
            return token, "environment"
    if token := _stored():
        return token, "keychain"
    token = get_token() or ""
    return token, "huggingface" if token else ""


def store(token: str) -> None:
    """Store the token in the keychain.

    Raises:
        StorageError: the keychain is missing or refuses.
    """
    try:
        keyring.set_password(_service, _account(), token)
    except KeyringError as error:
        raise StorageError(
            "Couldn't store the access token, because no keychain is available. Set HF_TOKEN instead."
        ) from error


def remove() -> None:
    """Remove the token from the keychain, if there is one.

    Raises:
        StorageError: the keychain refuses.
    """
    try:
        if _stored():
            keyring.delete_password(_service, _account())
    except PasswordDeleteError:
        return
    except KeyringError as error:
        raise StorageError("Couldn't remove the access token. Delete it in Keychain Access.") from error


def _stored() -> str:
    try:
        return keyring.get_password(_service, _account()) or ""
    except KeyringError as error:
        _log.info("No keychain: %s", type(error).__name__)
        return ""


def _account() -> str:
    """Return the token's account name: the Hub's host, so that a mirror never gets the token of another Hub."""
    return urlsplit(constants.ENDPOINT).netloc
