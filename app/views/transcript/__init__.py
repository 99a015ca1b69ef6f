"""The conversation on the screen. Everything outside uses `TranscriptView` alone."""

from app.views.transcript.view import TranscriptView

__all__ = ["TranscriptView"]
