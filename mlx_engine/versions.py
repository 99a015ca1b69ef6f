"""Which version of a package is installed, and of the system."""

import platform


def version_of(package: str) -> str:
    """Return the version; "" if it cannot be told: a packaged app has no metadata for some."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms that the window's start spares

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def system() -> dict[str, str]:
    """Return the version of the system by its name: `{"macOS": "15.5"}`, or of the kernel where that is Linux."""
    return {"macOS": mac} if (mac := platform.mac_ver()[0]) else {platform.system(): platform.release()}
