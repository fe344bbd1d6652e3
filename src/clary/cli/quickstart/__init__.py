"""The main job on real data: prepare, train, deploy, predict."""
