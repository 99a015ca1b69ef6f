"""What a conversation tells the model, and where its values come from."""

import json

from pytestqt.qtbot import QtBot

from mlx_engine.sampling import Sampling
from tests.app.viewmodels.facet import MODEL, OTHER, Facet


def recommend(facet: Facet, model: str, **values: float) -> None:
    (facet.models / model / "generation_config.json").write_text(json.dumps(values))


def test_a_new_conversation_begins_with_what_its_model_recommends(facet: Facet) -> None:
    """Another model of a draft brings its own values; what neither names is Facet's."""
    recommend(facet, MODEL, temperature=0.2, top_p=0.9)
    recommend(facet, OTHER, temperature=0.6)
    facet.chat.new()
    assert facet.chat.parameters.sampling == Sampling(temperature=0.2, top_p=0.9)
    facet.chat.set_model(OTHER)
    assert facet.chat.parameters.sampling == Sampling(temperature=0.6)
    assert facet.chat.parameters.recommended == {"temperature": 0.6}


def test_what_the_person_has_set_is_not_touched(facet: Facet) -> None:
    """Neither in the settings nor in this conversation."""
    recommend(facet, MODEL, temperature=0.2, top_p=0.9)
    recommend(facet, OTHER, temperature=0.6)
    facet.preferences.set("sampling", Sampling(temperature=1.1))
    facet.chat.new()
    assert facet.chat.parameters.sampling == Sampling(temperature=1.1, top_p=0.9)
    facet.chat.parameters.set("", Sampling(temperature=0.4), think=True)
    facet.chat.set_model(OTHER)
    assert facet.chat.parameters.sampling == Sampling(temperature=0.4)


def test_a_conversation_that_has_begun_keeps_its_values(qtbot: QtBot, facet: Facet) -> None:
    """Another model in the middle changes nothing else; resetting takes what it recommends."""
    recommend(facet, OTHER, temperature=0.6)
    facet.say(qtbot, "Hello")
    facet.chat.set_model(OTHER)
    assert facet.chat.parameters.sampling == Sampling()
    facet.chat.parameters.reset()
    assert facet.chat.parameters.sampling == Sampling(temperature=0.6)


def test_context_and_bits_are_the_conversations(qtbot: QtBot, facet: Facet) -> None:
    """They are stored with it, and a new one has neither."""
    facet.chat.parameters.set_memory(context=2048, cache_bits=8)
    facet.say(qtbot, "Hello")
    begun = facet.chat.conversation
    assert begun
    facet.chat.new()
    assert facet.chat.parameters.context == 0
    facet.chat.open(begun.id)
    stored = facet.store.conversation(begun.id)
    assert stored
    assert (facet.chat.parameters.context, stored.context, stored.cache_bits) == (2048, 2048, 8)
