"""Which version of a package is installed."""


def version_of(package: str) -> str:
    """Return the version; "" if it cannot be told: a packaged app has no metadata for some."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms that the window's start spares

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
