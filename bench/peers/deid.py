"""deid.py RULES IN OUT COUNT: applies {tag: action} to COUNT files at every depth, one file after the other; prints how long it took.

X removes, Z empties, D replaces by a dummy, U replaces a UID by one made from it.
"""

import json
import os
import sys
import time

import pydicom
from pydicom.uid import generate_uid

rules_path, source, target, count = sys.argv[1:]
with open(rules_path) as file:
    rules = {int(tag): action for tag, action in json.load(file).items()}
names = sorted(os.listdir(source))[: int(count)]
DUMMIES = {"DA": "19000101", "TM": "000000", "DT": "19000101000000", "IS": "0", "DS": "0", "SQ": []}


def apply(data_set, element):
    if element.tag.is_private:
        del data_set[element.tag]
        return
    action = rules.get(int(element.tag))
    if action == "X":
        del data_set[element.tag]
    elif action == "Z":
        element.value = [] if element.VR == "SQ" else ""
    elif action == "D":
        element.value = DUMMIES.get(element.VR, "ANON")
    elif action == "U":
        element.value = generate_uid(entropy_srcs=["key", str(element.value)])


started = time.perf_counter()
for name in names:
    data_set = pydicom.dcmread(os.path.join(source, name))
    data_set.walk(apply)
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.save_as(os.path.join(target, name))
print(json.dumps({"seconds": time.perf_counter() - started, "files": len(names)}))
