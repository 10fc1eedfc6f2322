"""deidentify.py TOOL IN OUT: de-identifies the files of a folder with a package as it comes, each under its own name.

A file that the package cannot do is left out and named on standard error.
"""

import logging
import os
import sys

# Scripts beside this one have names of packages.
sys.path.pop(0)

import pydicom  # noqa: E402


def each_file(source, target, work):
    for name in sorted(os.listdir(source)):
        try:
            work(os.path.join(source, name), os.path.join(target, name))
        except Exception as error:  # noqa: BLE001
            print(f"{name}: {type(error).__name__}", file=sys.stderr)


def with_dicognito(source, target):
    from dicognito.anonymizer import Anonymizer

    anonymizer = Anonymizer(seed="quality")

    def work(path, output):
        with pydicom.dcmread(path, force=False) as dataset:
            anonymizer.anonymize(dataset)
            dataset.save_as(output)

    each_file(source, target, work)


def with_dicom_anonymizer(source, target):
    from dicomanonymizer import anonymize_dicom_file

    each_file(source, target, lambda path, output: anonymize_dicom_file(path, output))


def with_deid(source, target):
    from deid.config import DeidRecipe
    from deid.dicom import replace_identifiers

    recipe = DeidRecipe()

    def work(path, output):
        (dataset,) = replace_identifiers(dicom_files=[path], deid=recipe, save=False)
        dataset.save_as(output)

    each_file(source, target, work)


TOOLS = {"dicognito": with_dicognito, "dicom-anonymizer": with_dicom_anonymizer, "deid": with_deid}

if __name__ == "__main__":
    tool, source, target = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    os.makedirs(target, exist_ok=True)
    TOOLS[tool](source, target)
