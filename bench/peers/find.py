"""find.py AET HOST PORT COUNT UID...: searches study by study, one after the other over one association; prints how long it took."""

import json
import sys
import time

from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind

RETURN_KEYS = [
    "StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "StudyID", "StudyDescription",
    "ModalitiesInStudy", "NumberOfStudyRelatedInstances",
]

called, host, port, count, *studies = sys.argv[1:]
entity = AE(ae_title="BENCH")
entity.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
association = entity.associate(host, int(port), ae_title=called)
assert association.is_established
answers = 0
started = time.perf_counter()
for search in range(int(count)):
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = studies[search % len(studies)]
    for key in RETURN_KEYS:
        setattr(identifier, key, "" if key != "NumberOfStudyRelatedInstances" else None)
    for status, answer in association.send_c_find(identifier, StudyRootQueryRetrieveInformationModelFind):
        assert status and status.Status in (0x0000, 0xFF00, 0xFF01)
        answers += answer is not None
seconds = time.perf_counter() - started
association.release()
print(json.dumps({"seconds": seconds, "answers": answers}))
