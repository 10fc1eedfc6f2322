/** The public surface: what programs may import from the package. Everything else is free to change. */

// archives
export type {
  Archive,
  ListedInstance,
  RetrieveOutcome,
  StudyListing,
  StudyMatch,
  StudyQuery,
} from "./archive/archive.ts";
export { createDimseArchive, type DimseArchiveOptions } from "./archive/dimse/dimse-archive.ts";
// de-identification
export {
  createDeidentifier,
  type Deidentifier,
  type DeidentifierOptions,
  type InstanceTask,
} from "./deid/deidentifier.ts";
export { exportMapping, type MappingResult, type MappingTask } from "./deid/mapping.ts";
export type { InstanceOutcome } from "./deid/outcome.ts";
export { type Preview, type PreviewElement, type PreviewTask, previewDeidentification } from "./deid/preview.ts";
export {
  type AttributeDifference,
  diffProfiles,
  type ProfileDifference,
  type SettingDifference,
} from "./deid/profiles/diff.ts";
export { type Explanation, explainAttribute, explainProfile } from "./deid/profiles/explain.ts";
export {
  importPixlTagOperations,
  type PixlImport,
  type PixlImportOptions,
  type PixlTagOperations,
} from "./deid/profiles/import-pixl.ts";
export { type LintReport, type LintWarning, lintProfile } from "./deid/profiles/lint.ts";
export {
  checkProfileText,
  loadProfile,
  loadProfileDocument,
  type ProfileCheck,
} from "./deid/profiles/load-profile.ts";
export { type ImageSize, masksOfRecipe, type PixlProject, readPixlProject } from "./deid/profiles/pixl-project.ts";
export type { Profile } from "./deid/profiles/profile.ts";
export { type ProfileDocument, profileSchema, type WrittenProfile } from "./deid/profiles/profile-document.ts";
export { ProfileError, type ProfileProblem } from "./deid/profiles/profile-problems.ts";
export type { LookupTable } from "./deid/pseudonyms/lookup-rows.ts";
export { type LookupOptions, loadLookupTable } from "./deid/pseudonyms/lookup-table.ts";
export { type PixlSecrets, pixlHash } from "./deid/pseudonyms/pixl-hash.ts";
export { loadProjectKey, type ProjectKey } from "./deid/pseudonyms/project-key.ts";
export { deidentifyFolder, type FolderFailure, type FolderResult, type FolderTask } from "./deid/run-folder.ts";
// delivery
export type { Destination, Receipt, StudyDelivery } from "./delivery/destination.ts";
export { createDimseDestination, type DimseDestinationOptions } from "./delivery/dimse/dimse-destination.ts";
export { createFolderDestination } from "./delivery/folder/folder-destination.ts";
// DICOM objects
export { type AeTitle, type DicomAddress, parseAeTitle, parseDicomAddress } from "./dicom/ae-title.ts";
export type {
  ByteRange,
  ByteSource,
  DataElement,
  DataSet,
  ElementValue,
  Finding,
  Part10File,
} from "./dicom/data-set.ts";
export { editPart10File, editsBetween, type HeaderEdits, type SplicedFile, spliceEdits } from "./dicom/edit.ts";
export { type JsonAttribute, type JsonDataSet, type JsonOptions, toDicomJson } from "./dicom/json.ts";
export { formatDicomJson } from "./dicom/json-format.ts";
export { fromDicomJson, type JsonReadOptions } from "./dicom/json-read.ts";
export {
  formatPersonName,
  type NameComponents,
  type PersonName,
  parsePersonName,
} from "./dicom/person-name.ts";
export { bytesSource, fileSource, parseDataSet, readPart10, readPart10File } from "./dicom/reader.ts";
export type { ElementEdits } from "./dicom/splice.ts";
export { formatTag, type Tag, tagOf } from "./dicom/tag.ts";
export {
  isUid,
  parseSeriesInstanceUid,
  parseSopInstanceUid,
  parseStudyInstanceUid,
  parseUid,
  type Uid,
} from "./dicom/uid.ts";
export {
  bytesOf,
  dataSetOf,
  element,
  itemsOf,
  numberOf,
  numbersOf,
  sequenceElement,
  textElement,
  textOf,
  textsOf,
  uidOf,
} from "./dicom/values.ts";
export {
  type ByteSink,
  encodeDataSet,
  fileMetaOf,
  type Part10Content,
  writeDataSet,
  writePart10,
} from "./dicom/writer.ts";
// errors
export type { ErrorClass, ErrorEntry } from "./errors/error-class.ts";
export { type ErrorDetails, type ErrorDocument, GatewayError } from "./errors/gateway-error.ts";
export { type ErrorCode, errorRegistry } from "./errors/registry.ts";
// the gateway
export type { Gateway } from "./gateway/gateway.ts";
export { type GatewayOptions, openGateway } from "./gateway/open-gateway.ts";
// DIMSE
export { openAssociation } from "./network/dimse/association.ts";
export {
  type CommitmentOutcome,
  type Commitments,
  type CommitmentsOptions,
  createCommitments,
} from "./network/dimse/commitments.ts";
export { startDimseServer } from "./network/dimse/server.ts";
export type {
  Association,
  AssociationOptions,
  CommitmentHandler,
  CommitmentResult,
  DimseServer,
  DimseServerOptions,
  IncomingInstance,
  InstanceSink,
  OutgoingInstance,
  ProposedContext,
  QueryRetrieveLevel,
  RetrieveResult,
  ServiceHandlers,
  SopReference,
  StoreHandler,
} from "./network/dimse/service-types.ts";
