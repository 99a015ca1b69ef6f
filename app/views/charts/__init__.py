"""Charts painted with QPainter. They know values and a theme, but nothing about models or chats."""
