"""Charts drawn with QPainter; they know values and a theme, nothing of models or chats."""
