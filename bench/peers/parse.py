"""parse.py FOLDER PASSES: reads the header of every file, one after the other; prints how long it took and for how many."""

import json
import os
import sys
import time

import pydicom

folder, passes = sys.argv[1:]
paths = [os.path.join(folder, name) for name in os.listdir(folder)]
files = 0
started = time.perf_counter()
for _ in range(int(passes)):
    for path in paths:
        data_set = pydicom.dcmread(path, stop_before_pixels=True)
        files += "SOPInstanceUID" in data_set
print(json.dumps({"seconds": time.perf_counter() - started, "files": files}))
