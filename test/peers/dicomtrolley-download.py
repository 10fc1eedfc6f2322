"""Downloads by RAD-69 with dicomtrolley: URL, folder, how, then study, series and instance UIDs, three for each instance.

Prints one JSON document: the SOP Instance UIDs that came, or the name of the exception.
"""

import json
import sys
import time
import warnings

import requests
from dicomtrolley.core import InstanceReference
from dicomtrolley.rad69 import Rad69
from dicomtrolley.storage import FlatStorageDir

warnings.filterwarnings("ignore")
url, folder, how, *uids = sys.argv[1:]
if uids and uids[0].startswith("@"):
    with open(uids[0][1:], encoding="utf-8") as lines:
        uids = lines.read().split()
references = [
    InstanceReference(study_uid=study, series_uid=series, instance_uid=instance)
    for study, series, instance in zip(uids[0::3], uids[1::3], uids[2::3])
]
came = []
failure = None
started = time.perf_counter()
try:
    downloader = Rad69(
        requests.Session(), url, request_per_series=how != "single", use_async=how == "async", max_workers=4
    )
    storage = FlatStorageDir(folder)
    for dataset in downloader.datasets(references):
        storage.save(dataset)
        came.append(str(dataset.SOPInstanceUID))
except Exception as error:
    failure = type(error).__name__
print(json.dumps({"came": came, "failure": failure, "seconds": time.perf_counter() - started}))
