"""The actions of a bot that has none: its action server starts all the same."""
