"""New conversations, with the last chosen model and the values recommended for it."""

from dataclasses import replace
from typing import Any

from app.domain.conversation import Conversation, new_conversation
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.models.description.recommendation import recommended, with_recommended
from mlx_engine.sampling import Sampling


class Drafts:
    """Creates conversations from the settings and the library.

    Recommendations of the model replace the sampling values that the user has not changed.
    """

    def __init__(self, library: ModelLibrary, preferences: Preferences) -> None:
        self._library, self._preferences = library, preferences

    def new(self) -> Conversation:
        """Return a new conversation with the last chosen model, or the first usable one."""
        usable = [model.id for model in self._library.usable()]
        last = self._preferences.settings.last_model
        model = last if last in usable else next(iter(usable), "")
        return replace(new_conversation(model, self._preferences.settings), sampling=self.sampling(model))

    def recommended(self, model_id: str) -> dict[str, float]:
        """Return the sampling values recommended by the model."""
        model = self._library.description(model_id)
        return recommended(model.path) if model else {}

    def sampling(self, model_id: str) -> Sampling:
        """Return the sampling values of a new conversation with this model."""
        return with_recommended(self._preferences.settings.sampling, self.recommended(model_id))

    def model_change(self, conversation: Conversation, model_id: str) -> dict[str, Any]:
        """Return the changes for switching to `model_id`: the model and, in an untouched draft, its sampling values."""
        is_untouched = not conversation.leaf and conversation.sampling == self.sampling(conversation.model)
        return {"model": model_id} | ({"sampling": self.sampling(model_id)} if is_untouched else {})
