import type { ErrorEntry } from "../error-class.ts";

/** Codes of de-identification and its keys, sorted. */
export const deidentificationCodes = {
  BURNED_IN_ANNOTATION: {
    class: "permanent",
    summary: "The image may show a patient's identity in its pixels: it is not let out.",
    remedy:
      "A person has to look at it. The rest of the study goes with `radferry study release ID --leave-out-rejected`; where nothing is left, `radferry study cancel ID` closes it. Or leave such series out by a filter, or have the archive mark reviewed images with Burned In Annotation NO.",
  },
  COMPRESSED_PIXEL_METADATA: {
    class: "permanent",
    summary: "Compressed pixel data holds comments, metadata or bytes that cannot be checked.",
    remedy:
      "Ask the archive for the image uncompressed, or let the rest of the study go: `radferry study release ID --leave-out-rejected`.",
  },
  DEIDENTIFICATION_UNPROVEN: {
    class: "permanent",
    summary: "The de-identified file did not pass its own check: it is not let out.",
    remedy:
      "Report it with the rule that the reason names; the original stays in staging. The rest goes with `radferry study release ID --leave-out-rejected`; this check is waived for nobody.",
  },
  DEID_FOLDERS_OVERLAP: {
    class: "permanent",
    summary: "The input folder and the output folder hold one another.",
    remedy: "Choose an output folder apart from the originals.",
  },
  DEID_TOO_MANY_FILES: {
    class: "permanent",
    summary: "The input folder holds more files than one run takes.",
    remedy: "De-identify its sub-folders one by one, whole studies together; the same key gives the same pseudonyms.",
  },
  IDENTIFIER_FOUND: {
    class: "permanent",
    summary: "An identifier of the patient was still found in the de-identified file: it is not let out.",
    remedy:
      "Look at the tag that the reason names (`radferry study show ID`); release the study without the instance or with that tag allowed (`study release`), or add a rule to the project's profile.",
  },
  INSTANCE_DUPLICATE: {
    class: "permanent",
    summary: "Another object of the study has the same SOP Instance UID: only the first one is let out.",
    remedy:
      "Find out which of the two is right; `radferry study release ID --leave-out-rejected` goes on with the first.",
  },
  INSTANCE_NOT_PARSABLE: {
    class: "permanent",
    summary: "The file is not a DICOM object that could be read to its end, or its UIDs are missing or malformed.",
    remedy:
      "Retrieve the study again; if it persists, ask the archive's administrator to check the object, or release the study without it: `radferry study release ID --leave-out-rejected`.",
  },
  KEY_FILE_EXISTS: {
    class: "permanent",
    summary: "There is a file where the new key should go.",
    remedy: "Choose another path. A key in use must not be overwritten: its pseudonyms could not be made again.",
  },
  KEY_FILE_MALFORMED: {
    class: "permanent",
    summary: "The project's key file does not hold 64 hexadecimal characters and a line feed.",
    remedy: "Restore the key from its backup; for a new project run `radferry project new-key FILE`.",
  },
  KEY_FILE_MISSING: {
    class: "permanent",
    summary: "The project's key file cannot be opened.",
    remedy: "Check keyFile and the owner of the file; for a new project run `radferry project new-key FILE`.",
  },
  KEY_FILE_READABLE_BY_OTHERS: {
    class: "permanent",
    summary: "Other users of this machine can read the project's key file.",
    remedy: "Run `chmod 600` on it, and consider a new key if it was exposed before anything was delivered.",
  },
  LOOKUP_ROW_MISSING: {
    class: "permanent",
    summary: "The lookup table has no row for the patient or study, and the profile requires one.",
    remedy: "Add the row to the project's lookup table, or set `lookup: optional` in the profile's pseudonyms.",
  },
  LOOKUP_TABLE_INVALID: {
    class: "permanent",
    summary: "The lookup table of pseudonyms is not right: none of it is used.",
    remedy: "Correct the row (data rows count from 1; 0 is the heading): kind,original,replacement and maybe project.",
  },
  LOOKUP_TABLE_UNREADABLE: {
    class: "permanent",
    summary: "The lookup table of pseudonyms cannot be read.",
    remedy: "Check its path, its owner, that it is UTF-8 and smaller than 64 MB.",
  },
  MAPPING_FOLDER_UNSAFE: {
    class: "permanent",
    summary: "The folder for the mapping of identifiers is open to others, or one with the input or the output.",
    remedy: "Choose a folder of its own, for its owner alone (`chmod 700`), apart from originals and outputs.",
  },
  MAPPING_TOO_LARGE: {
    class: "permanent",
    summary: "The folder holds more identifiers than one mapping takes.",
    remedy: "Score a part of the studies at a time.",
  },
  PARTICIPANT_ID_INVALID: {
    class: "permanent",
    summary: "The participant id cannot become a pseudonym.",
    remedy: "Use 1 to 64 letters, digits, hyphens and underscores, beginning with a letter or a digit.",
  },
  PIXEL_DATA_INCONSISTENT: {
    class: "permanent",
    summary:
      "Pixel data is shorter than its rows, columns and frames say, is another image by its own header, or cannot be measured by them.",
    remedy:
      "Retrieve the study again; if it persists, release the study without it: `radferry study release ID --leave-out-rejected`.",
  },
  PIXEL_MASK_NOT_APPLICABLE: {
    class: "permanent",
    summary: "There is a pixel mask for this device, but it cannot be carried out on this image: it is not let out.",
    remedy:
      "`mask-size`: add a mask for images of this size. `mask-needs-codec`: give the site a codec, or ask the archive for the image uncompressed. Otherwise `radferry study release ID --leave-out-rejected` lets the rest of the study go.",
  },
  PIXL_SECRET_MALFORMED: {
    class: "permanent",
    summary: "A file of PIXL's hasher does not hold one text: its key of 1 to 64 bytes, or a salt.",
    remedy: "Write the text as its only line, in UTF-8, as the hasher's secret store has it.",
  },
  PROFILE_UNKNOWN: {
    class: "permanent",
    summary: "There is no de-identification profile of this name.",
    remedy: "Use `basic`, `research` or `pixl`, or the path of a profile's file.",
  },
  PROJECT_KEY_CHANGED: {
    class: "permanent",
    summary: "Studies of the project were delivered with another key: new ones could not be matched with them.",
    remedy: "Put the old key back in its place. If it is lost or exposed, run `radferry project change-key NAME`.",
  },
  PROJECT_KEY_SHARED: {
    class: "permanent",
    summary: "Two projects have the same key, or the same key and salts of PIXL's: their pseudonyms could be linked.",
    remedy: "Give each project a key of its own: `radferry project new-key FILE`.",
  },
  PSEUDONYM_COLLISION: {
    class: "permanent",
    summary: "A pseudonym of the study stands for another patient or study already.",
    remedy:
      "Compare the participant ids and the lookup table with those of earlier cohorts. If one person has several patient ids, set `pseudonyms.mergePatients` of the project and retry the study.",
  },
  PSEUDONYM_SOURCE_MISSING: {
    class: "permanent",
    summary: "The profile's pseudonyms need a file that the project does not name.",
    remedy: "Give the project its lookup table, or the key and salts of PIXL's hasher, or choose another profile.",
  },
  SOP_CLASS_NOT_ALLOWED: {
    class: "permanent",
    summary: "Objects of this kind are not let out by the profile: their pixels or content may name the patient.",
    remedy:
      "A person has to look at it. The rest of the study goes with `radferry study release ID --leave-out-rejected`; where nothing is left, `radferry study cancel ID` closes it. Leave such series out with the project's filters.",
  },
  THUMBNAIL_NOT_MADE: {
    class: "permanent",
    summary: "No thumbnail can be made of the object.",
    remedy:
      "Look at the reason. An object that would not leave has none, since none is made before a mask: give the profile a mask for its device. Ask the archive for a compressed image uncompressed.",
  },
} as const satisfies Record<string, ErrorEntry>;
