/** Archives for programs: `import { openArchive } from "radferry/archive"`. Everything else is free to change. */

export type {
  Archive,
  ArchiveCapabilities,
  ArchiveKind,
  ListedInstance,
  RetrieveOutcome,
  RetrieveRequest,
  StudyListing,
  StudyMatch,
  StudyQuery,
} from "./archive/archive.ts";
export { createDicomWebArchive, type DicomWebArchiveOptions } from "./archive/dicomweb/dicomweb-archive.ts";
export { createDimseArchive, type DimseArchiveOptions } from "./archive/dimse/dimse-archive.ts";
export { createOrthancArchive, type OrthancArchiveOptions } from "./archive/orthanc/orthanc-archive.ts";
export { createRad69Archive, type Rad69ArchiveOptions } from "./archive/rad69/rad69-archive.ts";
export {
  type FolderStorage,
  type FolderStorageOptions,
  openFolderStorage,
  type StorageLayout,
} from "./archive/scripting/folder-storage.ts";
export type { FoundInstance, FoundSeries, FoundStudy } from "./archive/scripting/found.ts";
export { type ArchiveEndpoint, type OpenArchiveOptions, openArchive } from "./archive/scripting/open-archive.ts";
export type { Retrievable, RetrievedFiles } from "./archive/scripting/retrieve-files.ts";
export {
  createScriptArchive,
  type FindOptions,
  type ScriptArchive,
  type ScriptArchiveOptions,
  type StudyKeys,
  type UidTexts,
} from "./archive/scripting/script-archive.ts";
export { basicAuthentication, bearerAuthentication } from "./network/http-client/authentication.ts";
