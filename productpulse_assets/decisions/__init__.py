"""From findings to actions: recommendations, who does what when, and the proof of each."""
