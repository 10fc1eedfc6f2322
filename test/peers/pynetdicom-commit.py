"""Asks for storage commitment with pynetdicom and prints the result that comes over the same association, as JSON.

usage: pynetdicom-commit.py PORT CALLING_AE CALLED_AE SOP_CLASS_UID SOP_INSTANCE_UID...
"""

import json
import sys
import threading

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

WELL_KNOWN_INSTANCE = "1.2.840.10008.1.20.1.1"
RESULT_TIMEOUT_S = 20


def reference(sop_class, uid):
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def main():
    port, calling, called, sop_class, *uids = sys.argv[1:]
    request = Dataset()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = [reference(sop_class, uid) for uid in uids]
    reported, answered = threading.Event(), threading.Event()
    result = {}

    def on_report(event):
        information = event.event_information
        result["event"] = event.event_type
        result["same"] = information.TransactionUID == request.TransactionUID
        result["committed"] = [
            str(item.ReferencedSOPInstanceUID) for item in information.get("ReferencedSOPSequence", [])
        ]
        result["failed"] = [int(item.FailureReason) for item in information.get("FailedSOPSequence", [])]
        reported.set()
        return 0x0000, None

    # pynetdicom answers the result in a thread of its own: a release before that answer would overtake it.
    def on_sent(_event):
        if reported.is_set():
            answered.set()

    ae = AE(ae_title=calling)
    ae.add_requested_context(StorageCommitmentPushModel)
    handlers = [(evt.EVT_N_EVENT_REPORT, on_report), (evt.EVT_PDU_SENT, on_sent)]
    association = ae.associate("127.0.0.1", int(port), ae_title=called, evt_handlers=handlers)
    status, _ = association.send_n_action(request, 1, StorageCommitmentPushModel, WELL_KNOWN_INSTANCE)
    answered.wait(RESULT_TIMEOUT_S)
    association.release()
    print(json.dumps({"status": status.Status, **result}))


main()
