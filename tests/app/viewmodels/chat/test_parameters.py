"""Tests of the parameters of a conversation and their defaults."""

import json

import pytest
from pytestqt.qtbot import QtBot

from mlx_engine.sampling import Sampling
from tests.app.viewmodels.facet import MODEL, OTHER, Facet


def recommend(facet: Facet, model: str, **values: float) -> None:
    (facet.models / model / "generation_config.json").write_text(json.dumps(values))


def test_a_new_conversation_has_the_recommendations_of_its_model(facet: Facet) -> None:
    """A draft follows a change of model; other values are Facet's defaults."""
    recommend(facet, MODEL, temperature=0.2, top_p=0.9)
    recommend(facet, OTHER, temperature=0.6)
    facet.chat.new()
    assert facet.chat.parameters.sampling == Sampling(temperature=0.2, top_p=0.9)
    facet.chat.set_model(OTHER)
    assert facet.chat.parameters.sampling == Sampling(temperature=0.6)
    assert facet.chat.parameters.recommended == {"temperature": 0.6}


def test_values_set_by_the_user_are_kept(facet: Facet) -> None:
    """Both in the settings and in the conversation."""
    recommend(facet, MODEL, temperature=0.2, top_p=0.9)
    recommend(facet, OTHER, temperature=0.6)
    facet.preferences.set("sampling", Sampling(temperature=1.1))
    facet.chat.new()
    assert facet.chat.parameters.sampling == Sampling(temperature=1.1, top_p=0.9)
    facet.chat.parameters.set("", Sampling(temperature=0.4), think=True)
    facet.chat.set_model(OTHER)
    assert facet.chat.parameters.sampling == Sampling(temperature=0.4)


@pytest.mark.process
def test_a_started_conversation_keeps_its_values(qtbot: QtBot, facet: Facet) -> None:
    """Changing the model changes nothing else; Reset applies its recommendations."""
    recommend(facet, OTHER, temperature=0.6)
    facet.ask(qtbot, "Hello")
    facet.chat.set_model(OTHER)
    assert facet.chat.parameters.sampling == Sampling()
    facet.chat.parameters.reset()
    assert facet.chat.parameters.sampling == Sampling(temperature=0.6)


@pytest.mark.process
def test_context_and_bits_belong_to_the_conversation(qtbot: QtBot, facet: Facet) -> None:
    """They are stored with it; a new conversation has the defaults."""
    facet.chat.parameters.set_memory(context=2048, cache_bits=8)
    facet.ask(qtbot, "Hello")
    conversation = facet.chat.conversation
    assert conversation
    facet.chat.new()
    assert facet.chat.parameters.context == 0
    facet.chat.open(conversation.id)
    stored = facet.store.conversation(conversation.id)
    assert stored
    assert (facet.chat.parameters.context, stored.context, stored.cache_bits) == (2048, 2048, 8)
