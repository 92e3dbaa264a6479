"""`sealstead demo`: real programs do the main job on a throw-away server."""
