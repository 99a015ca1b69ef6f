"""Parts of the window that exist from its start."""

from dataclasses import dataclass

from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.conversation_list import ConversationListModel
from app.viewmodels.library.library import ModelLibrary
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from mlx_engine.folders import Folders


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowParts:
    """View-models and services that the window and all of its pages share."""

    folders: Folders
    theme: Theme
    notifier: Notifier
    preferences: Preferences
    offline: OfflineSwitch
    library: ModelLibrary
    chat: ChatViewModel
    conversations: ConversationListModel
