import type { ErrorEntry } from "../error-class.ts";

/** Codes of files, zips and media that an archive is read from, sorted. */
export const mediaCodes = {
  MEDIA_DIRECTORY_UNREADABLE: {
    class: "permanent",
    summary: "A DICOMDIR cannot be read: what should be on its medium is not known from it.",
    remedy: "Copy the medium again. Its files are found without it, but nobody knows whether they are all.",
  },
  MEDIA_FILE_CHANGED: {
    class: "transient",
    summary: "A file of a folder that is an archive changed while it was read, or is another one now.",
    remedy: "None: it is looked at again. If it persists, let who writes the folder finish first.",
  },
  MEDIA_FILE_DAMAGED: {
    class: "permanent",
    summary: "A file that a DICOMDIR names is there, and cannot be read as the instance that it should be.",
    remedy: "Copy the medium again; the instance counts as missing.",
  },
  MEDIA_FILE_MISSING: {
    class: "permanent",
    summary: "A file that a DICOMDIR names is not there.",
    remedy: "Copy the medium again, all of it; the instance counts as missing.",
  },
  MEDIA_LINK_SKIPPED: {
    class: "permanent",
    summary: "A symbolic link, or what is no file, lies in a folder that is an archive; it is not followed.",
    remedy: "None, unless studies lie behind it: then make what it leads to an archive of its own.",
  },
  MEDIA_TOO_DEEP: {
    class: "permanent",
    summary: "Folders lie within each other deeper than anybody lays studies out; what is below is not looked at.",
    remedy: "Name a folder further down as the archive's path.",
  },
  ZIP_ENTRY_DAMAGED: {
    class: "permanent",
    summary: "A file in a zip has another size or sum than the zip says, or does not unpack.",
    remedy: "Get the zip again from who made it.",
  },
  ZIP_ENTRY_ENCRYPTED: {
    class: "permanent",
    summary: "A file in a zip is encrypted.",
    remedy: "Unpack it with its password, and let the archive be the folder.",
  },
  ZIP_ENTRY_TOO_LARGE: {
    class: "permanent",
    summary: "A file in a zip would unpack to more than is believed of its packed size, or than is taken at all.",
    remedy: "If it is sound, unpack it, and let the archive be the folder.",
  },
  ZIP_ENTRY_UNSAFE: {
    class: "permanent",
    summary:
      "A file in a zip has a name that leads out of it, is a link, lies within another, or has the name of another.",
    remedy: "Ask who made the zip for another one; no such file is read.",
  },
  ZIP_ENTRY_UNSUPPORTED: {
    class: "permanent",
    summary: "A file in a zip is packed in another way than by deflation.",
    remedy: "Unpack the zip, and let the archive be the folder.",
  },
  ZIP_UNREADABLE: {
    class: "permanent",
    summary:
      "A zip has no directory at its end that fits it: it is cut short, damaged, one of several parts, or too large.",
    remedy: "Get the zip again from who made it.",
  },
} as const satisfies Record<string, ErrorEntry>;
