"""dicomweb.py retrieve URL STUDY FOLDER | store URL STUDY FILE...: with dicomweb-client; prints how long it took and for how many instances."""

import json
import os
import sys
import time

import pydicom
from dicomweb_client.api import DICOMwebClient

what, url, study, *paths = sys.argv[1:]
client = DICOMwebClient(url)
started = time.perf_counter()
came = 0
if what == "retrieve":
    for data_set in client.iter_study(study, media_types=(("application/dicom", "*"),)):
        data_set.save_as(os.path.join(paths[0], f"{data_set.SOPInstanceUID}.dcm"))
        came += 1
else:
    answer = client.store_instances([pydicom.dcmread(path) for path in paths], study)
    came = len(answer.ReferencedSOPSequence)
print(json.dumps({"seconds": time.perf_counter() - started, "came": came}))
