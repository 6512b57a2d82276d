"""A file of nearest neighbors as OpenShape publishes them (point_feat_knn.npy), of five shapes at 0, 1, 3, 7 and 12 on a line.

    python xtask/peers/neighbor_file.py fixtures/training/point_feat_knn.npy
"""

import sys

import numpy as np

PLACES = {"a0": 0, "a1": 1, "a3": 3, "a-7": 7, "a12": 12}
names = list(PLACES)
distances = {name: np.abs(np.array(list(PLACES.values())) - place) for name, place in PLACES.items()}
index = {name: np.argsort(distance, kind="stable") for name, distance in distances.items()}
np.save(sys.argv[1], {"name": names, "index": index})
