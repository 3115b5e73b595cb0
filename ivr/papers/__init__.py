"""What is sent or handed to people on paper: monthly statements of accounts, and bills with their calls."""
