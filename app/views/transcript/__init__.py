"""The conversation on the screen. Chat uses `TranscriptView` alone."""

from app.views.transcript.view import TranscriptView

__all__ = ["TranscriptView"]
