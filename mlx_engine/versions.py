"""Versions of packages and of the system."""

import platform


def version_of(package: str) -> str:
    """Return the version of a package; "" if it has no metadata, as some in a packaged app."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - saves 20 ms when the window starts

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def system() -> dict[str, str]:
    """Return the version of the system by its name, such as `{"macOS": "15.5"}`; on Linux, that of the kernel."""
    return {"macOS": mac} if (mac := platform.mac_ver()[0]) else {platform.system(): platform.release()}
