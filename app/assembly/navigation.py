"""Ways from one page of the window to another."""

from PySide6.QtWidgets import QWidget

from app.viewmodels.chat.chat import ChatViewModel
from app.views.shell.workbench import Workbench


class Navigation:
    """Shows pages of `workbench`, in the state that a request on another page asks for."""

    def __init__(self, workbench: Workbench, chat: ChatViewModel) -> None:
        self._workbench, self._chat = workbench, chat

    @property
    def current_page(self) -> str:
        return self._workbench.current_page

    def show(self, page: str) -> QWidget:
        """Show the page of that name and return it."""
        return self._workbench.show_page(page)

    def chat_with(self, model: str) -> None:
        """Start a chat with the model of that library id."""
        self._workbench.new_chat()
        self._chat.set_model(model)

    def search_hub(self, text: str) -> None:
        """Search the Hub on the Discover page."""
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - loads a page

        page = self.show("discover")
        if isinstance(page, DiscoverPage):
            page.search_for(text)

    def sign_in(self) -> None:
        """Open the sign-in form of the Discover page."""
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - as above

        page = self.show("discover")
        if isinstance(page, DiscoverPage):
            page.sign_in()
