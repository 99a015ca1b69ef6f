"""What goes on by itself: downloads and conversions."""
