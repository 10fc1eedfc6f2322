"""Sends files by STOW-RS with dicomweb-client and prints what it understood of the answer, as JSON.

usage: dicomweb-store.py URL TOKEN FILE...
"""

import json
import sys

import pydicom
import requests
from dicomweb_client.api import DICOMwebClient


def uids(answer, keyword):
    return [str(item.ReferencedSOPInstanceUID) for item in answer.get(keyword, [])]


def main():
    url, token, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    client = DICOMwebClient(url, session=session)
    try:
        answer = client.store_instances([pydicom.dcmread(file) for file in files])
    except requests.HTTPError as error:
        print(json.dumps({"status": error.response.status_code}))
        return
    failed = [int(item.FailureReason) for item in answer.get("FailedSOPSequence", [])]
    print(json.dumps({"stored": uids(answer, "ReferencedSOPSequence"), "failed": failed}))


main()
