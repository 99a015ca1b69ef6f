"""New conversations: the model that was chosen last, and the values that suit it."""

from dataclasses import replace
from typing import Any

from app.domain.conversation import Conversation, new_conversation
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.models.description.recommendation import recommended, with_recommended
from mlx_engine.sampling import Sampling


class Drafts:
    """Makes them from the settings and the library.

    What a model recommends takes the place of every sampling value that the person has left as Facet brings it.
    """

    def __init__(self, library: ModelLibrary, preferences: Preferences) -> None:
        self._library, self._preferences = library, preferences

    def new(self) -> Conversation:
        """Return a new conversation with the model chosen last, or else the first there is."""
        usable = [model.id for model in self._library.usable()]
        last = self._preferences.settings.last_model
        model = last if last in usable else next(iter(usable), "")
        return replace(new_conversation(model, self._preferences.settings), sampling=self.sampling(model))

    def recommended(self, model_id: str) -> dict[str, float]:
        """Return the sampling values that the model comes with."""
        model = self._library.description(model_id)
        return recommended(model.path) if model else {}

    def sampling(self, model_id: str) -> Sampling:
        """Return with which values a new conversation with this model begins."""
        return with_recommended(self._preferences.settings.sampling, self.recommended(model_id))

    def changed_to(self, conversation: Conversation, model_id: str) -> dict[str, Any]:
        """Return what changes if `model_id` answers from now on: of a draft also the values that nobody has chosen."""
        is_untouched = not conversation.leaf and conversation.sampling == self.sampling(conversation.model)
        return {"model": model_id} | ({"sampling": self.sampling(model_id)} if is_untouched else {})
