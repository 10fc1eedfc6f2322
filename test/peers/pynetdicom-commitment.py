"""A storage commitment SCP on pynetdicom: commits to every instance but those whose UID ends with ".2".

usage: pynetdicom-commitment.py PORT AE_TITLE REPORT

REPORT is "same" for results over the association that asked, or the port of the one who asked, for an association of
its own to it in the role of the SCP.
"""

import sys
import threading

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, build_role, evt
from pynetdicom.dimse_messages import N_ACTION_RSP
from pynetdicom.sop_class import StorageCommitmentPushModel

WELL_KNOWN_INSTANCE = "1.2.840.10008.1.20.1.1"
NO_SUCH_OBJECT_INSTANCE = 0x0112


def result_of(request):
    result = Dataset()
    result.TransactionUID = request.TransactionUID
    references = list(request.ReferencedSOPSequence)
    failed = [one for one in references if one.ReferencedSOPInstanceUID.endswith(".2")]
    result.ReferencedSOPSequence = Sequence([one for one in references if one not in failed])
    for one in failed:
        one.FailureReason = NO_SUCH_OBJECT_INSTANCE
    if failed:
        result.FailedSOPSequence = Sequence(failed)
    return result, 2 if failed else 1


def main():
    port, title, report_to = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    pending = {}

    def report(association):
        requestor = association.requestor.ae_title
        result, event_type = result_of(pending.pop(association))
        reporting = association
        if report_to != "same":
            ae = AE(ae_title=title)
            ae.add_requested_context(StorageCommitmentPushModel)
            role = build_role(StorageCommitmentPushModel, scp_role=True)
            reporting = ae.associate("127.0.0.1", int(report_to), ae_title=requestor, ext_neg=[role])
        status, _ = reporting.send_n_event_report(result, event_type, StorageCommitmentPushModel, WELL_KNOWN_INSTANCE)
        print(f"answered {status.Status:04X}H", flush=True)
        if reporting is not association:
            reporting.release()

    def on_action(event):
        pending[event.assoc] = event.action_information
        return 0x0000, None

    def on_sent(event):
        if isinstance(event.message, N_ACTION_RSP):
            threading.Thread(target=report, args=(event.assoc,), daemon=True).start()

    ae = AE(ae_title=title)
    ae.add_supported_context(StorageCommitmentPushModel)
    handlers = [(evt.EVT_N_ACTION, on_action), (evt.EVT_DIMSE_SENT, on_sent)]
    ae.start_server(("127.0.0.1", port), evt_handlers=handlers)


main()
