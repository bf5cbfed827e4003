"""Rules of worlds. Games import the core and nothing else; they know no agent."""
