"""edit.py IN OUT: replaces four elements and removes one in every file, one after the other; prints how long it took."""

import json
import os
import sys
import time

import pydicom

source, target = sys.argv[1:]
names = os.listdir(source)
started = time.perf_counter()
for name in names:
    data_set = pydicom.dcmread(os.path.join(source, name))
    data_set.PatientName = "Anonymous"
    data_set.PatientID = "SUBJECT-0001"
    data_set.AccessionNumber = "0000"
    data_set.InstitutionName = "Somewhere"
    del data_set.PatientAddress
    data_set.save_as(os.path.join(target, name))
print(json.dumps({"seconds": time.perf_counter() - started, "files": len(names)}))
