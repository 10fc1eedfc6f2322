/** DICOM objects for programs: `import { readPart10File } from "radferry/dicom"`. Everything else is free to change. */

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
