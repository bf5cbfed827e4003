"""Rules of players. They import the core and, of games, observation types only."""
